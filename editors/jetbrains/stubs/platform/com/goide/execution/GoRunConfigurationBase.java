// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.goide.execution;

import com.intellij.execution.configurations.RunConfigurationBase;

public abstract class GoRunConfigurationBase<T> extends RunConfigurationBase<Object> {}
