// A look-alike of the IDE's own, as far as the plugin reads it by name.

package com.jetbrains.python.run;

import java.util.Map;

public class AbstractPythonRunConfiguration {
    private final Map<String, String> environment;
    public String machine;

    public AbstractPythonRunConfiguration(Map<String, String> environment) {
        this.environment = environment;
    }

    public Map<String, String> getEnvs() {
        return environment;
    }

    public String getDefaultTargetName() {
        return machine;
    }
}
