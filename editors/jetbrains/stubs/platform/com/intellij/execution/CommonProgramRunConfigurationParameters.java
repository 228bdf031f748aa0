// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package com.intellij.execution;

import java.util.Map;

public interface CommonProgramRunConfigurationParameters {
    Map<String, String> getEnvs();
}
