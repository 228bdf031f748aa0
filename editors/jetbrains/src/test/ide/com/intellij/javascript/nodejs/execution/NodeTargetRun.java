// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.javascript.nodejs.execution;

import com.intellij.execution.target.TargetedCommandLineBuilder;

public class NodeTargetRun {
    private final TargetedCommandLineBuilder builder = new TargetedCommandLineBuilder();

    public TargetedCommandLineBuilder getCommandLineBuilder() {
        return builder;
    }
}
