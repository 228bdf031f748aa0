// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.actionSystem;

public abstract class ToggleAction extends AnAction {
    public abstract boolean isSelected(AnActionEvent e);

    public abstract void setSelected(AnActionEvent e, boolean state);

    @Override
    public final void actionPerformed(AnActionEvent e) {}
}
