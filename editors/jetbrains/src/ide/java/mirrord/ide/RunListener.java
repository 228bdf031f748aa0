// Hears from the IDE of each start and end of a program. Before-run tasks have ended when one is starting.

package mirrord.ide;

import com.intellij.execution.ExecutionListener;
import com.intellij.execution.process.ProcessHandler;
import com.intellij.execution.runners.ExecutionEnvironment;

public final class RunListener implements ExecutionListener {
    @Override
    public void processStarting(String executorId, ExecutionEnvironment start) {
        ProjectRuns.of(start.getProject()).runs().starting(start, start.getRunProfile());
    }

    @Override
    public void processStarted(String executorId, ExecutionEnvironment start, ProcessHandler program) {
        ProjectRuns.of(start.getProject()).runs().started(start, program::destroyProcess);
    }

    @Override
    public void processNotStarted(String executorId, ExecutionEnvironment start) {
        ProjectRuns.of(start.getProject()).runs().ended(start);
    }

    @Override
    public void processTerminated(
            String executorId, ExecutionEnvironment start, ProcessHandler program, int code) {
        ProjectRuns.of(start.getProject()).runs().ended(start);
    }
}
