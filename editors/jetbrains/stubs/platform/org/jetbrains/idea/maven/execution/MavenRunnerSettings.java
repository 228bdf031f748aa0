// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package org.jetbrains.idea.maven.execution;

import java.util.Map;

public class MavenRunnerSettings implements Cloneable {
    public Map<String, String> getEnvironmentProperties() {
        return null;
    }

    public void setEnvironmentProperties(Map<String, String> envs) {}

    @Override
    public MavenRunnerSettings clone() {
        return null;
    }
}
