// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution.target;

public class TargetedCommandLineBuilder {
    public void addEnvironmentVariable(String name, String value) {}

    public void removeEnvironmentVariable(String name) {}
}
