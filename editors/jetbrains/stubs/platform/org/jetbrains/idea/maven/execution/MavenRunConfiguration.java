// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package org.jetbrains.idea.maven.execution;

public class MavenRunConfiguration {
    public MavenRunnerParameters getRunnerParameters() {
        return null;
    }

    public MavenRunnerSettings getRunnerSettings() {
        return null;
    }

    public void setRunnerSettings(MavenRunnerSettings settings) {}
}
