// Python programs of IDEs that start them by a command line (PythonTargets has the others).

package mirrord.ide;

import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.RunnerSettings;
import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import com.jetbrains.python.run.PythonRunConfigurationExtension;
import mirrord.editor.Kind;

public final class PythonExtension extends PythonRunConfigurationExtension {
    @Override
    public boolean isApplicableFor(AbstractPythonRunConfiguration<?> configuration) {
        return Kind.of(configuration) == Kind.PYTHON;
    }

    @Override
    public boolean isEnabledFor(AbstractPythonRunConfiguration<?> configuration, RunnerSettings settings) {
        return true;
    }

    @Override
    protected void patchCommandLine(
            AbstractPythonRunConfiguration<?> configuration,
            RunnerSettings settings,
            GeneralCommandLine line,
            String runner) {
        ProjectRuns.apply(configuration.getProject(), configuration, Kind.PYTHON, line.getEnvironment());
    }
}
