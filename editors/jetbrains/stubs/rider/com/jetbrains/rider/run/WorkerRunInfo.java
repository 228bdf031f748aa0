// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.rider.run;

import com.intellij.execution.configurations.GeneralCommandLine;

public class WorkerRunInfo {
    public final GeneralCommandLine getCommandLine() {
        return null;
    }
}
