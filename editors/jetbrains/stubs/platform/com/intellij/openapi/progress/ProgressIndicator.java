// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.progress;

public interface ProgressIndicator {
    void setText(String text);

    boolean isCanceled();
}
