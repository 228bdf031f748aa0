// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.runners;

import com.intellij.execution.configurations.RunConfigurationBase;
import com.intellij.execution.configurations.RunProfile;
import com.intellij.openapi.project.Project;

public class ExecutionEnvironment {
    private final RunProfile profile;

    public ExecutionEnvironment(RunProfile profile) {
        this.profile = profile;
    }

    public Project getProject() {
        return RunConfigurationBase.theirs;
    }

    public RunProfile getRunProfile() {
        return profile;
    }
}
