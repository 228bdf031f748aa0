// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.jetbrains.python.run;

import java.util.HashMap;
import java.util.Map;

public class PythonExecution {
    private final Map<String, String> env = new HashMap<>();

    public final Map<String, ?> getEnvs() {
        return env;
    }

    public final void addEnvironmentVariable(String key, String value) {
        env.put(key, value);
    }
}
