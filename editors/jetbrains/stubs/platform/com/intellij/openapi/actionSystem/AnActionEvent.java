// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.actionSystem;

import com.intellij.openapi.project.Project;

public class AnActionEvent {
    public Project getProject() {
        return null;
    }

    public Presentation getPresentation() {
        return null;
    }
}
