// Ruby programs, Rails among them.

package mirrord.ide;

import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.RunnerSettings;
import mirrord.editor.Kind;
import org.jetbrains.plugins.ruby.ruby.run.configuration.AbstractRubyRunConfiguration;
import org.jetbrains.plugins.ruby.ruby.run.configuration.RubyRunConfigurationExtension;

public final class RubyExtension extends RubyRunConfigurationExtension {
    @Override
    public boolean isApplicableFor(AbstractRubyRunConfiguration<?> configuration) {
        return Kind.of(configuration) == Kind.RUBY;
    }

    @Override
    public boolean isEnabledFor(AbstractRubyRunConfiguration<?> configuration, RunnerSettings settings) {
        return true;
    }

    @Override
    protected void patchCommandLine(
            AbstractRubyRunConfiguration<?> configuration,
            RunnerSettings settings,
            GeneralCommandLine line,
            String runner) {
        ProjectRuns.apply(configuration.getProject(), configuration, Kind.RUBY, line.getEnvironment());
    }
}
