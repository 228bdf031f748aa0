// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package org.jetbrains.plugins.ruby.ruby.run.configuration;

import com.intellij.execution.configuration.RunConfigurationExtensionBase;

public abstract class RubyRunConfigurationExtension
    extends RunConfigurationExtensionBase<AbstractRubyRunConfiguration<?>> {}
