// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.jsonSchema.extension;

import com.intellij.openapi.vfs.VirtualFile;
import com.jetbrains.jsonSchema.impl.JsonSchemaVersion;

public interface JsonSchemaFileProvider {
    boolean isAvailable(VirtualFile file);

    String getName();

    VirtualFile getSchemaFile();

    SchemaType getSchemaType();

    default JsonSchemaVersion getSchemaVersion() {
        return null;
    }
}
