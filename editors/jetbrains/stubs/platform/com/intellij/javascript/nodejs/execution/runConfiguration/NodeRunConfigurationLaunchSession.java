// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.javascript.nodejs.execution.runConfiguration;

import com.intellij.javascript.nodejs.execution.NodeTargetRun;

public abstract class NodeRunConfigurationLaunchSession {
    public abstract void addNodeOptionsTo(NodeTargetRun targetRun);
}
