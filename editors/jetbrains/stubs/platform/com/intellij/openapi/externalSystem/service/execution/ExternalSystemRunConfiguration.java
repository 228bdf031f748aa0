// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package com.intellij.openapi.externalSystem.service.execution;

import com.intellij.openapi.externalSystem.model.execution.ExternalSystemTaskExecutionSettings;

public class ExternalSystemRunConfiguration {
    public ExternalSystemTaskExecutionSettings getSettings() {
        return null;
    }
}
