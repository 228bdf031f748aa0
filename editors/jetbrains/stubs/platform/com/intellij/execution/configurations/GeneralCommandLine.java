// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.configurations;

import java.util.Map;

public class GeneralCommandLine {
    public Map<String, String> getEnvironment() {
        return null;
    }
}
