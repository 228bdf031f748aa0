// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.execution;

@SuppressWarnings("serial")
public class ExecutionException extends Exception {
    public ExecutionException(String s) {
        super(s);
    }
}
