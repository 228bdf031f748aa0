// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package com.intellij.openapi.externalSystem.model.execution;

import java.util.List;
import java.util.Map;

public class ExternalSystemTaskExecutionSettings {
    public List<String> getTaskNames() {
        return null;
    }

    public Map<String, String> getEnv() {
        return null;
    }

    public void setEnv(Map<String, String> value) {}
}
