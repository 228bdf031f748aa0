// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.jetbrains.rider.run.configurations.project;

import com.intellij.execution.configurations.RunConfigurationBase;

public class DotNetProjectConfiguration extends RunConfigurationBase<Object> {}
