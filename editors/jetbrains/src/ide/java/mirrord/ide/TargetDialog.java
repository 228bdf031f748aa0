// The target dialog: a frame of the IDE's around TargetPanel.

package mirrord.ide;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.ui.DialogWrapper;
import javax.swing.JComponent;
import mirrord.editor.Desk;
import mirrord.editor.MirrordFailure;
import mirrord.editor.Picker;
import mirrord.editor.TargetPanel;

final class TargetDialog extends DialogWrapper implements TargetPanel.Frame {
    private final Desk desk;
    private final TargetPanel panel;

    TargetDialog(Project project, Picker picker, Desk.Other other, Desk desk) {
        super(project);
        this.desk = desk;
        panel = new TargetPanel(picker, other, this);
        setTitle("mirrord: Target");
        init();
    }

    Desk.Choice choice() {
        return panel.choice();
    }

    @Override
    protected JComponent createCenterPanel() {
        return panel.component();
    }

    @Override
    public JComponent getPreferredFocusedComponent() {
        return panel.first();
    }

    @Override
    public void enable(boolean hasChoice) {
        setOKActionEnabled(hasChoice);
    }

    @Override
    public void accept() {
        doOKAction();
    }

    @Override
    public void error(MirrordFailure failure) {
        desk.error(failure);
    }
}
