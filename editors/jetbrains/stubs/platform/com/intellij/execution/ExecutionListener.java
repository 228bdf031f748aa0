// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution;

import com.intellij.execution.process.ProcessHandler;
import com.intellij.execution.runners.ExecutionEnvironment;
import java.util.EventListener;

public interface ExecutionListener extends EventListener {
    default void processStarting(String executorId, ExecutionEnvironment env) {}

    default void processNotStarted(String executorId, ExecutionEnvironment env) {}

    default void processStarted(String executorId, ExecutionEnvironment env, ProcessHandler handler) {}

    default void processTerminated(
        String executorId, ExecutionEnvironment env, ProcessHandler handler, int exitCode) {}
}
