// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.jsonSchema.extension;

public enum SchemaType {
    embeddedSchema
}
