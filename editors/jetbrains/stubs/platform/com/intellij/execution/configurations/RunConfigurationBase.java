// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.configurations;

import com.intellij.openapi.project.Project;

public abstract class RunConfigurationBase<T> implements RunConfiguration {
    @Override
    public final Project getProject() {
        return null;
    }
}
