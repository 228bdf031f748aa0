// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.configurations;

import java.util.HashMap;
import java.util.Map;

public class SimpleProgramParameters {
    private Map<String, String> env = new HashMap<>();
    private boolean hasParent = true;

    public Map<String, String> getEnv() {
        return env;
    }

    public void setEnv(Map<String, String> env) {
        this.env = env;
    }

    public boolean isPassParentEnvs() {
        return hasParent;
    }

    public void setPassParentEnvs(boolean passDefaultEnvs) {
        hasParent = passDefaultEnvs;
    }
}
