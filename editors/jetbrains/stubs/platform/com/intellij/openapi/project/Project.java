// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.project;

import com.intellij.openapi.components.ComponentManager;

public interface Project extends ComponentManager {
    String getBasePath();
}
