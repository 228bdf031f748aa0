// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.javascript.nodejs.execution.runConfiguration;

import com.intellij.execution.configuration.RunConfigurationExtensionBase;
import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.RunnerSettings;
import com.intellij.execution.runners.ExecutionEnvironment;
import com.intellij.javascript.nodejs.execution.AbstractNodeTargetRunProfile;

public abstract class AbstractNodeRunConfigurationExtension
    extends RunConfigurationExtensionBase<AbstractNodeTargetRunProfile> {
    public abstract NodeRunConfigurationLaunchSession createLaunchSession(
        AbstractNodeTargetRunProfile configuration, ExecutionEnvironment environment);

    @Override
    public boolean isEnabledFor(AbstractNodeTargetRunProfile configuration, RunnerSettings runnerSettings) {
        return true;
    }

    @Override
    protected final void patchCommandLine(
        AbstractNodeTargetRunProfile configuration,
        RunnerSettings runnerSettings,
        GeneralCommandLine cmdLine,
        String runnerId) {}
}
