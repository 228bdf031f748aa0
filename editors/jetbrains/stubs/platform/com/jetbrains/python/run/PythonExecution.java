// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.python.run;

import java.util.Map;

public abstract class PythonExecution {
    public final Map<String, ?> getEnvs() {
        return null;
    }

    public final void addEnvironmentVariable(String key, String value) {}
}
