// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.project;

import com.intellij.openapi.actionSystem.AnAction;

public abstract class DumbAwareAction extends AnAction implements DumbAware {}
