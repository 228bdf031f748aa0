// The entries of the menu beside the switch. plugin.xml names each by its class.

package mirrord.ide;

import com.intellij.openapi.actionSystem.ActionUpdateThread;
import com.intellij.openapi.actionSystem.AnActionEvent;
import com.intellij.openapi.fileChooser.FileChooser;
import com.intellij.openapi.fileChooser.FileChooserDescriptor;
import com.intellij.openapi.fileEditor.OpenFileDescriptor;
import com.intellij.openapi.project.DumbAwareAction;
import com.intellij.openapi.project.Project;
import com.intellij.openapi.vfs.LocalFileSystem;
import com.intellij.openapi.vfs.VirtualFile;
import java.nio.file.Path;
import mirrord.editor.Memory;

public abstract class MenuAction extends DumbAwareAction {
    abstract void run(Project project, ProjectRuns own);

    @Override
    public void actionPerformed(AnActionEvent event) {
        if (event.getProject() != null) run(event.getProject(), ProjectRuns.of(event.getProject()));
    }

    @Override
    public void update(AnActionEvent event) {
        event.getPresentation().setEnabled(event.getProject() != null);
    }

    @Override
    public ActionUpdateThread getActionUpdateThread() {
        return ActionUpdateThread.BGT;
    }

    private static VirtualFile choose(Project project) {
        FileChooserDescriptor one = new FileChooserDescriptor(true, false, false, false, false, false);
        return FileChooser.chooseFile(one, project, null);
    }

    public static final class Target extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            own.runs().chooseTarget();
        }
    }

    public static final class AskForTarget extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            own.set(Memory.TARGET, null);
            own.set(Memory.NAMESPACE, null);
        }
    }

    public static final class Config extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            VirtualFile file = choose(project);
            if (file != null) own.set(Memory.CONFIG, file.getPath());
        }
    }

    public static final class UsualConfig extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            own.set(Memory.CONFIG, null);
        }
    }

    public static final class OpenConfig extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            Path path = own.runs().configToOpen();
            if (path == null) return;
            VirtualFile file = LocalFileSystem.getInstance().refreshAndFindFileByPath(path.toString());
            if (file != null) new OpenFileDescriptor(project, file).navigate(true);
        }
    }

    public static final class Program extends MenuAction {
        @Override
        void run(Project project, ProjectRuns own) {
            VirtualFile file = choose(project);
            if (file != null) own.set(Memory.PROGRAM, file.getPath());
        }
    }
}
