// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.jetbrains.jsonSchema.extension;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.vfs.VirtualFile;
import java.util.List;

public interface JsonSchemaProviderFactory {
    List<JsonSchemaFileProvider> getProviders(Project project);

    static VirtualFile getResourceFile(Class<?> baseClass, String resourcePath) {
        return null;
    }
}
