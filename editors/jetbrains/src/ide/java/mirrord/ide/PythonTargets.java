// Python programs of IDEs that start them by the "targets" of the platform, as current ones do.

package mirrord.ide;

import com.intellij.openapi.project.Project;
import com.jetbrains.python.run.PythonExecution;
import com.jetbrains.python.run.PythonRunParams;
import com.jetbrains.python.run.target.HelpersAwareTargetEnvironmentRequest;
import com.jetbrains.python.run.target.PythonCommandLineTargetEnvironmentProvider;
import mirrord.editor.Kind;
import mirrord.editor.Launch;

public final class PythonTargets implements PythonCommandLineTargetEnvironmentProvider {
    @Override
    public void extendTargetEnvironment(
            Project project,
            HelpersAwareTargetEnvironmentRequest request,
            PythonExecution program,
            PythonRunParams configuration) {
        if (Kind.of(configuration) != Kind.PYTHON) return; // a console, a test collector, pip
        Launch launch = ProjectRuns.launch(project, configuration, Kind.PYTHON);
        if (launch == null) return;
        launch.unset().forEach(program.getEnvs()::remove);
        launch.environment().forEach(program::addEnvironmentVariable);
    }
}
