// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.configurations;

import java.util.HashMap;
import java.util.Map;

public class GeneralCommandLine {
    private final Map<String, String> env = new HashMap<>();

    public Map<String, String> getEnvironment() {
        return env;
    }
}
