// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.goide.execution;

public abstract class GoRunningState<T extends GoRunConfigurationBase<?>> {
    public enum CommandLineType {
        BUILD,
        RUN
    }
}
