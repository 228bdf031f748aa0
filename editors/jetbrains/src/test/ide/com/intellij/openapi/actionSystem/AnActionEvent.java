// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.openapi.actionSystem;

import com.intellij.openapi.project.Project;

public class AnActionEvent {
    private final Project project;
    private final Presentation presentation = new Presentation();

    public AnActionEvent(Project project) {
        this.project = project;
    }

    public Project getProject() {
        return project;
    }

    public Presentation getPresentation() {
        return presentation;
    }
}
