// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.javascript.nodejs.execution;

import com.intellij.execution.configurations.RunConfigurationBase;

public abstract class AbstractNodeTargetRunProfile extends RunConfigurationBase<Object> {}
