// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.application;

public interface Application {
    boolean isDispatchThread();

    void invokeAndWait(Runnable runnable, ModalityState modalityState);
}
