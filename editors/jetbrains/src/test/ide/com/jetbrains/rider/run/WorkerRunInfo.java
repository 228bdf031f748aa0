// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.jetbrains.rider.run;

import com.intellij.execution.configurations.GeneralCommandLine;

public class WorkerRunInfo {
    private final GeneralCommandLine line = new GeneralCommandLine();

    public final GeneralCommandLine getCommandLine() {
        return line;
    }
}
