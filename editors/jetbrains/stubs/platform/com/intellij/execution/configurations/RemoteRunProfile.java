// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package com.intellij.execution.configurations;

public interface RemoteRunProfile {}
