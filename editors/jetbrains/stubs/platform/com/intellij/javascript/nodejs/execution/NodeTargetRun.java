// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.javascript.nodejs.execution;

import com.intellij.execution.target.TargetedCommandLineBuilder;

public class NodeTargetRun {
    public TargetedCommandLineBuilder getCommandLineBuilder() {
        return null;
    }
}
