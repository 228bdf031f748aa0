// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.actionSystem;

public enum ActionUpdateThread {
    BGT,
    EDT
}
