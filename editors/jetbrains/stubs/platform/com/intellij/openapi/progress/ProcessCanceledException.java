// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.progress;

@SuppressWarnings("serial")
public class ProcessCanceledException extends RuntimeException {
    public ProcessCanceledException() {}
}
