// Go programs; the IDE builds them first, which is no part of the session.

package mirrord.ide;

import com.goide.execution.GoRunConfigurationBase;
import com.goide.execution.GoRunningState;
import com.goide.execution.extension.GoRunConfigurationExtension;
import com.intellij.execution.configurations.RunnerSettings;
import com.intellij.execution.target.TargetedCommandLineBuilder;
import mirrord.editor.Kind;
import mirrord.editor.Launch;

public final class GoExtension extends GoRunConfigurationExtension {
    @Override
    public boolean isApplicableFor(GoRunConfigurationBase<?> configuration) {
        return Kind.of(configuration) == Kind.GO;
    }

    @Override
    public boolean isEnabledFor(GoRunConfigurationBase<?> configuration, RunnerSettings settings) {
        return true;
    }

    @Override
    public void patchCommandLine(
            GoRunConfigurationBase<?> configuration,
            RunnerSettings settings,
            TargetedCommandLineBuilder line,
            String runner,
            GoRunningState<? extends GoRunConfigurationBase<?>> state,
            GoRunningState.CommandLineType type) {
        if (type != GoRunningState.CommandLineType.RUN) return;
        Launch launch = ProjectRuns.launch(configuration.getProject(), configuration, Kind.GO);
        if (launch == null) return;
        launch.unset().forEach(line::removeEnvironmentVariable);
        launch.environment().forEach(line::addEnvironmentVariable);
    }
}
