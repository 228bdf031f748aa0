// The switch in the toolbar.

package mirrord.ide;

import com.intellij.openapi.actionSystem.ActionUpdateThread;
import com.intellij.openapi.actionSystem.AnActionEvent;
import com.intellij.openapi.actionSystem.ToggleAction;
import com.intellij.openapi.project.DumbAware;

public final class SwitchAction extends ToggleAction implements DumbAware {
    @Override
    public boolean isSelected(AnActionEvent event) {
        return event.getProject() != null && ProjectRuns.of(event.getProject()).runs().isOn();
    }

    @Override
    public void setSelected(AnActionEvent event, boolean isOn) {
        if (event.getProject() != null) ProjectRuns.of(event.getProject()).runs().turn(isOn);
    }

    @Override
    public void update(AnActionEvent event) {
        super.update(event);
        event.getPresentation().setEnabled(event.getProject() != null);
        event.getPresentation().setText(isSelected(event) ? "mirrord: on" : "mirrord: off");
    }

    @Override
    public ActionUpdateThread getActionUpdateThread() {
        return ActionUpdateThread.BGT;
    }
}
