// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution;

import com.intellij.execution.configuration.RunConfigurationExtensionBase;
import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.JavaParameters;
import com.intellij.execution.configurations.RunConfigurationBase;
import com.intellij.execution.configurations.RunnerSettings;

public abstract class RunConfigurationExtension
    extends RunConfigurationExtensionBase<RunConfigurationBase<?>> {
    public abstract <T extends RunConfigurationBase<?>> void updateJavaParameters(
        T configuration, JavaParameters params, RunnerSettings runnerSettings) throws ExecutionException;

    @Override
    protected void patchCommandLine(
        RunConfigurationBase<?> configuration,
        RunnerSettings runnerSettings,
        GeneralCommandLine cmdLine,
        String runnerId) throws ExecutionException {}

    @Override
    public boolean isEnabledFor(
        RunConfigurationBase<?> applicableConfiguration, RunnerSettings runnerSettings) {
        return true;
    }
}
