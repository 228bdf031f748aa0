// .NET programs. Rider does not say which configuration it starts: it is the one that is starting.

package mirrord.ide;

import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.process.ProcessInfo;
import com.intellij.execution.process.ProcessListener;
import com.intellij.openapi.project.Project;
import com.jetbrains.rd.util.lifetime.Lifetime;
import com.jetbrains.rider.run.PatchCommandLineExtension;
import com.jetbrains.rider.run.WorkerRunInfo;
import com.jetbrains.rider.runtime.DotNetRuntime;
import mirrord.editor.Kind;
import org.jetbrains.concurrency.Promise;
import org.jetbrains.concurrency.Promises;

public final class RiderExtension implements PatchCommandLineExtension {
    @Override
    public Promise<WorkerRunInfo> patchDebugCommandLine(
            Lifetime lifetime, WorkerRunInfo worker, ProcessInfo process, Project project) {
        ProjectRuns.apply(project, null, Kind.DOTNET, worker.getCommandLine().getEnvironment());
        return Promises.resolvedPromise(worker);
    }

    @Override
    public ProcessListener patchRunCommandLine(
            GeneralCommandLine line, DotNetRuntime runtime, Project project) {
        ProjectRuns.apply(project, null, Kind.DOTNET, line.getEnvironment());
        return null;
    }
}
