// The programs of one open project, with the IDE behind them: its memory and its user. A service of the IDE.

package mirrord.ide;

import com.intellij.execution.ExecutionException;
import com.intellij.ide.util.PropertiesComponent;
import com.intellij.openapi.Disposable;
import com.intellij.openapi.progress.ProcessCanceledException;
import com.intellij.openapi.project.Project;
import com.intellij.util.EnvironmentUtil;
import java.nio.file.Path;
import java.util.Map;
import mirrord.editor.Html;
import mirrord.editor.Kind;
import mirrord.editor.Launch;
import mirrord.editor.Memory;
import mirrord.editor.MirrordFailure;
import mirrord.editor.Runs;

public final class ProjectRuns implements Disposable, Memory {
    private final Project project;
    private final Runs runs;

    public ProjectRuns(Project project) {
        this.project = project;
        Path folder = project.getBasePath() == null ? null : Path.of(project.getBasePath());
        runs = new Runs(folder, EnvironmentUtil::getEnvironmentMap, this, new IdeDesk(project));
    }

    static ProjectRuns of(Project project) {
        return project.getService(ProjectRuns.class);
    }

    Runs runs() {
        return runs;
    }

    /** What a program of `kind` is to be started by, or null. An ExecutionException: it must not start. */
    static Launch launch(Project project, Object configuration, Kind kind) {
        try {
            return of(project).runs.take(configuration, kind);
        } catch (MirrordFailure failure) {
            if (failure.isCancelled()) throw new ProcessCanceledException();
            ExecutionException cause = new ExecutionException("mirrord: " + Html.of(failure.text()));
            throw ProjectRuns.<RuntimeException>unchecked(cause);
        }
    }

    /** As `launch`, for extensions that are handed the program's variables as a map. */
    static void apply(Project project, Object configuration, Kind kind, Map<String, String> variables) {
        Launch launch = launch(project, configuration, kind);
        if (launch == null) return;
        launch.unset().forEach(variables::remove);
        variables.putAll(launch.environment());
    }

    @Override
    public String get(String name) {
        return PropertiesComponent.getInstance(project).getValue(name);
    }

    @Override
    public void set(String name, String value) {
        PropertiesComponent.getInstance(project).setValue(name, value);
    }

    @Override
    public void dispose() {
        runs.close();
    }

    /** Not every extension point declares ExecutionException, but the IDE shows it as a failed start. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException unchecked(Throwable failure) throws E {
        throw (E) failure;
    }
}
