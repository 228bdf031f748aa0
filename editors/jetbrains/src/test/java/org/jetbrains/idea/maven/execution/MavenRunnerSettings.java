// A look-alike of the IDE's own, as far as the plugin reads it by name.

package org.jetbrains.idea.maven.execution;

import java.util.Map;

public class MavenRunnerSettings implements Cloneable {
    private Map<String, String> environment;

    public MavenRunnerSettings(Map<String, String> environment) {
        this.environment = environment;
    }

    public Map<String, String> getEnvironmentProperties() {
        return environment;
    }

    public void setEnvironmentProperties(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public MavenRunnerSettings clone() {
        return new MavenRunnerSettings(environment);
    }
}
