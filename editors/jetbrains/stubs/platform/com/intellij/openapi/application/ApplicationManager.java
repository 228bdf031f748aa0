// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.application;

public class ApplicationManager {
    public static Application getApplication() {
        return null;
    }
}
