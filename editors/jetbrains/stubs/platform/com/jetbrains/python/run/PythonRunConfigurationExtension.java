// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.python.run;

import com.intellij.execution.configuration.RunConfigurationExtensionBase;

public abstract class PythonRunConfigurationExtension
    extends RunConfigurationExtensionBase<AbstractPythonRunConfiguration<?>> {}
