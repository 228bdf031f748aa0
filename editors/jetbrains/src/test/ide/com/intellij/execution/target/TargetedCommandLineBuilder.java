// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.target;

import java.util.HashMap;
import java.util.Map;

public class TargetedCommandLineBuilder {
    public final Map<String, String> env = new HashMap<>();

    public void addEnvironmentVariable(String name, String value) {
        env.put(name, value);
    }

    public void removeEnvironmentVariable(String name) {
        env.remove(name);
    }
}
