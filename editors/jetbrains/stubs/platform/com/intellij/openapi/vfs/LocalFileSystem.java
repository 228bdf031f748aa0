// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.vfs;

public abstract class LocalFileSystem extends VirtualFileSystem {
    public static LocalFileSystem getInstance() {
        return null;
    }
}
