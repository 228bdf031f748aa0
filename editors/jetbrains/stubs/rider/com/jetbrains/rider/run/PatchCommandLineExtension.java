// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.rider.run;

import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.process.ProcessInfo;
import com.intellij.execution.process.ProcessListener;
import com.intellij.openapi.project.Project;
import com.jetbrains.rd.util.lifetime.Lifetime;
import com.jetbrains.rider.runtime.DotNetRuntime;
import org.jetbrains.concurrency.Promise;

public interface PatchCommandLineExtension {
    Promise<WorkerRunInfo> patchDebugCommandLine(
        Lifetime lifetime, WorkerRunInfo workerRunInfo, ProcessInfo processInfo, Project project);

    ProcessListener patchRunCommandLine(
        GeneralCommandLine commandLine, DotNetRuntime dotNetRuntime, Project project);
}
