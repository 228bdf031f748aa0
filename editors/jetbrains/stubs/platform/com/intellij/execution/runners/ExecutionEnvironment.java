// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.runners;

import com.intellij.execution.configurations.RunProfile;
import com.intellij.openapi.project.Project;

public class ExecutionEnvironment {
    public Project getProject() {
        return null;
    }

    public RunProfile getRunProfile() {
        return null;
    }
}
