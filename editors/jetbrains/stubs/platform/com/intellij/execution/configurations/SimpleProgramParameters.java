// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.configurations;

import java.util.Map;

public class SimpleProgramParameters {
    public Map<String, String> getEnv() {
        return null;
    }

    public void setEnv(Map<String, String> env) {}

    public boolean isPassParentEnvs() {
        return false;
    }

    public void setPassParentEnvs(boolean passDefaultEnvs) {}
}
