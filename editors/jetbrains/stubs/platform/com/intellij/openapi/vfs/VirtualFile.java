// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.vfs;

public abstract class VirtualFile {
    public abstract String getPath();
}
