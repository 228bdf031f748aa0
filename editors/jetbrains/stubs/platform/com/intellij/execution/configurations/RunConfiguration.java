// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.configurations;

import com.intellij.openapi.project.Project;

public interface RunConfiguration extends RunProfile {
    Project getProject();
}
