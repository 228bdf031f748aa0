// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package com.intellij.execution;

public interface CommonJavaRunConfigurationParameters extends CommonProgramRunConfigurationParameters {}
