// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.configurations;

import com.intellij.openapi.project.Project;

public abstract class RunConfigurationBase<T> implements RunConfiguration {
    public static Project theirs;

    @Override
    public final Project getProject() {
        return theirs;
    }
}
