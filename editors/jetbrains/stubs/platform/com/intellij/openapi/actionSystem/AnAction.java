// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.actionSystem;

public abstract class AnAction {
    public void update(AnActionEvent e) {}

    public abstract void actionPerformed(AnActionEvent e);

    public ActionUpdateThread getActionUpdateThread() {
        return null;
    }
}
