// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.python.run;

import com.intellij.execution.configurations.RunConfigurationBase;

public abstract class AbstractPythonRunConfiguration<T> extends RunConfigurationBase<Object> {}
