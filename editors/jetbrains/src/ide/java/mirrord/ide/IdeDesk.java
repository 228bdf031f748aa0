// The user before the IDE: progress that can be cancelled, the target dialog, notifications.

package mirrord.ide;

import com.intellij.ide.BrowserUtil;
import com.intellij.notification.Notification;
import com.intellij.notification.NotificationAction;
import com.intellij.notification.NotificationType;
import com.intellij.notification.Notifications;
import com.intellij.openapi.application.Application;
import com.intellij.openapi.application.ApplicationManager;
import com.intellij.openapi.application.ModalityState;
import com.intellij.openapi.progress.ProgressIndicator;
import com.intellij.openapi.progress.ProgressManager;
import com.intellij.openapi.project.Project;
import com.intellij.openapi.util.ThrowableComputable;
import java.util.concurrent.atomic.AtomicReference;
import mirrord.editor.Desk;
import mirrord.editor.Html;
import mirrord.editor.Listener;
import mirrord.editor.MirrordFailure;
import mirrord.editor.Picker;

final class IdeDesk implements Desk {
    /** Groups of notifications, named in plugin.xml: one is shown, one only kept in the list. */
    private static final String SHOWN = "mirrord";
    private static final String KEPT = "mirrord log";

    private final Project project;

    IdeDesk(Project project) {
        this.project = project;
    }

    private record IdeProgress(ProgressIndicator indicator) implements Progress {
        @Override
        public void step(String text) {
            if (indicator != null) indicator.setText(text);
        }

        @Override
        public boolean getAsBoolean() {
            return indicator != null && indicator.isCanceled();
        }
    }

    @Override
    public <T> T busy(String title, Work<T> work) throws MirrordFailure {
        ProgressManager manager = ProgressManager.getInstance();
        ThrowableComputable<T, MirrordFailure> run =
            () -> work.run(new IdeProgress(manager.getProgressIndicator()));
        if (!ApplicationManager.getApplication().isDispatchThread()) return run.compute();
        return manager.runProcessWithProgressSynchronously(run, title, true, project);
    }

    @Override
    public Choice choose(Picker picker, Other other) {
        AtomicReference<Choice> choice = new AtomicReference<>();
        Runnable show = () -> {
            TargetDialog dialog = new TargetDialog(project, picker, other, this);
            if (dialog.showAndGet()) choice.set(dialog.choice());
        };
        Application application = ApplicationManager.getApplication();
        if (application.isDispatchThread()) show.run();
        else application.invokeAndWait(show, ModalityState.defaultModalityState());
        return choice.get();
    }

    @Override
    public void info(String text) {
        show(new Notification(KEPT, "mirrord", Html.of(text), NotificationType.INFORMATION), null);
    }

    @Override
    public void warning(String text, Listener.Button button) {
        show(new Notification(SHOWN, "mirrord", Html.of(text), NotificationType.WARNING), button);
    }

    @Override
    public void error(MirrordFailure failure) {
        show(new Notification(SHOWN, "mirrord", Html.of(failure.text()), NotificationType.ERROR), null);
    }

    private void show(Notification notification, Listener.Button button) {
        if (button != null && button.link().startsWith("https://")) {
            notification.addAction(
                NotificationAction.createSimple(button.label(), () -> BrowserUtil.browse(button.link())));
        }
        Notifications.Bus.notify(notification, project);
    }
}
