// A look-alike of the IDE's own, as far as the plugin reads it by name.

package com.intellij.execution.configurations;

public interface RemoteRunProfile {}
