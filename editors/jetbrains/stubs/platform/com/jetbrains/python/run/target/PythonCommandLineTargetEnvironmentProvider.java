// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.python.run.target;

import com.intellij.openapi.project.Project;
import com.jetbrains.python.run.PythonExecution;
import com.jetbrains.python.run.PythonRunParams;

public interface PythonCommandLineTargetEnvironmentProvider {
    void extendTargetEnvironment(
        Project project,
        HelpersAwareTargetEnvironmentRequest helpersAwareTargetRequest,
        PythonExecution pythonExecution,
        PythonRunParams runParams);
}
