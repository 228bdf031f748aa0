// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.goide.execution.extension;

import com.goide.execution.GoRunConfigurationBase;
import com.goide.execution.GoRunningState;
import com.intellij.execution.ExecutionException;
import com.intellij.execution.configuration.RunConfigurationExtensionBase;
import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.RunnerSettings;
import com.intellij.execution.target.TargetedCommandLineBuilder;

public abstract class GoRunConfigurationExtension
    extends RunConfigurationExtensionBase<GoRunConfigurationBase<?>> {
    protected void patchCommandLine(
        GoRunConfigurationBase<?> configuration,
        RunnerSettings runnerSettings,
        TargetedCommandLineBuilder cmdLine,
        String runnerId,
        GoRunningState<? extends GoRunConfigurationBase<?>> state,
        GoRunningState.CommandLineType commandLineType) throws ExecutionException {}

    @Override
    protected void patchCommandLine(
        GoRunConfigurationBase<?> configuration,
        RunnerSettings runnerSettings,
        GeneralCommandLine cmdLine,
        String runnerId) throws ExecutionException {}
}
