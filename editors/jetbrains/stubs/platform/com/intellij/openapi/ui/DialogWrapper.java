// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.ui;

import com.intellij.openapi.project.Project;
import javax.swing.JComponent;

public abstract class DialogWrapper {
    protected DialogWrapper(Project project) {}

    protected void init() {}

    public void setTitle(String title) {}

    protected abstract JComponent createCenterPanel();

    public JComponent getPreferredFocusedComponent() {
        return null;
    }

    public void setOKActionEnabled(boolean isEnabled) {}

    protected void doOKAction() {}

    public boolean showAndGet() {
        return false;
    }
}
