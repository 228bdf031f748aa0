// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package org.jetbrains.plugins.ruby.ruby.run.configuration;

import com.intellij.execution.configurations.RunConfigurationBase;

public abstract class AbstractRubyRunConfiguration<T> extends RunConfigurationBase<Object> {}
