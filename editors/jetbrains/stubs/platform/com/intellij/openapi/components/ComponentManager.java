// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.components;

public interface ComponentManager {
    <T> T getService(Class<T> serviceClass);
}
