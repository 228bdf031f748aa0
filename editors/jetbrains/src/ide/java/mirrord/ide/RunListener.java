// Hears from the IDE of each start and end of a program. Before-run tasks have ended when one is starting.

package mirrord.ide;

import com.intellij.execution.ExecutionListener;
import com.intellij.execution.process.ProcessHandler;
import com.intellij.execution.runners.ExecutionEnvironment;
import mirrord.editor.Runs;

public final class RunListener implements ExecutionListener {
    private static Runs runs(ExecutionEnvironment start) {
        return ProjectRuns.of(start.getProject()).runs();
    }

    @Override
    public void processStarting(String executorId, ExecutionEnvironment start) {
        runs(start).starting(start, start.getRunProfile());
    }

    @Override
    public void processStarted(String executorId, ExecutionEnvironment start, ProcessHandler program) {
        runs(start).started(start, program::destroyProcess);
    }

    @Override
    public void processNotStarted(String executorId, ExecutionEnvironment start) {
        runs(start).ended(start);
    }

    @Override
    public void processTerminated(
            String executorId, ExecutionEnvironment start, ProcessHandler program, int code) {
        runs(start).ended(start);
    }
}
