// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package org.jetbrains.idea.maven.execution;

import com.intellij.openapi.project.Project;

public final class MavenRunner {
    public static MavenRunner getInstance(Project project) {
        return null;
    }

    public MavenRunnerSettings getSettings() {
        return null;
    }
}
