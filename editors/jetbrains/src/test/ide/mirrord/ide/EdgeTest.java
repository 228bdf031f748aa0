// The edge, run by an IDE that is played: its parts stand beside this file, the rest are stubs. It shows what
// the edge does with what the IDE hands it; whether the IDE does so, only an IDE can show.

package mirrord.ide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.goide.execution.GoRunConfigurationBase;
import com.goide.execution.GoRunningState.CommandLineType;
import com.intellij.execution.CommonJavaRunConfigurationParameters;
import com.intellij.execution.ExecutionException;
import com.intellij.execution.configurations.GeneralCommandLine;
import com.intellij.execution.configurations.JavaParameters;
import com.intellij.execution.configurations.RemoteRunProfile;
import com.intellij.execution.configurations.RunConfigurationBase;
import com.intellij.execution.process.ProcessHandler;
import com.intellij.execution.runners.ExecutionEnvironment;
import com.intellij.execution.target.TargetedCommandLineBuilder;
import com.intellij.ide.util.PropertiesComponent;
import com.intellij.javascript.nodejs.execution.AbstractNodeTargetRunProfile;
import com.intellij.javascript.nodejs.execution.NodeTargetRun;
import com.intellij.notification.Notifications;
import com.intellij.openapi.actionSystem.AnActionEvent;
import com.intellij.openapi.progress.ProcessCanceledException;
import com.intellij.openapi.progress.ProgressManager;
import com.intellij.openapi.project.Project;
import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import com.jetbrains.python.run.PythonExecution;
import com.jetbrains.python.run.PythonRunParams;
import com.jetbrains.rider.run.WorkerRunInfo;
import com.jetbrains.rider.run.configurations.project.DotNetProjectConfiguration;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mirrord.editor.FakeMirrord;
import mirrord.editor.Memory;
import org.jetbrains.plugins.ruby.ruby.run.configuration.AbstractRubyRunConfiguration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EdgeTest {
    private static final String SCRIPT = """
        case $1 in
          verify-config) case $(cat "$3") in
              slow) exec sleep 600 ;;
              bad) echo '{"type":"Fail","errors":["no such <key>"]}' ;;
              *) echo '{"type":"Success","config":{"path":{"pod":"a"}},"warnings":[]}' ;;
            esac; exit ;;
        esac
        echo '{"type":"NewTask","name":"Looking","parent":null}'
        """ + FakeMirrord.SESSION;
    private static final Map<String, String> GIVEN = Map.of("A", "1", "OWN", "mine");

    static class Application
        extends RunConfigurationBase<Object> implements CommonJavaRunConfigurationParameters {
        @Override
        public Map<String, String> getEnvs() {
            return Map.of();
        }
    }

    static class Remote extends RunConfigurationBase<Object> implements RemoteRunProfile {}

    static class Python extends AbstractPythonRunConfiguration<Object> implements PythonRunParams {}

    static class Go extends GoRunConfigurationBase<Object> {}

    static class Node extends AbstractNodeTargetRunProfile {}

    static class Ruby extends AbstractRubyRunConfiguration<Object> {}

    private final RunListener listener = new RunListener();
    private final Map<String, String> memory = PropertiesComponent.ONE.values;
    private FakeMirrord fake;
    private ProjectRuns runs;

    @BeforeEach
    void begin() throws Exception {
        fake = new FakeMirrord(SCRIPT);
        config("good");
        memory.clear();
        memory.put(Memory.PROGRAM, fake.program.toString());
        memory.put(Memory.ON, "true");
        Notifications.SHOWN.clear();
        ProgressManager.STEPS.clear();
        ProgressManager.isCancelled = false;
        Project project = new Project() {
            @Override
            public String getBasePath() {
                return fake.folder.toString();
            }

            @Override
            public <T> T getService(Class<T> type) {
                return type.cast(runs);
            }
        };
        RunConfigurationBase.theirs = project;
        runs = new ProjectRuns(project);
    }

    @AfterEach
    void end() throws Exception {
        runs.dispose();
        if (Files.exists(fake.folder.resolve("variables"))) fake.awaitIn("calls", "ended");
        fake.close();
    }

    private void config(String text) throws Exception {
        Files.createDirectories(fake.folder.resolve(".mirrord"));
        Files.writeString(fake.folder.resolve(".mirrord/mirrord.json"), text);
    }

    private <T extends RunConfigurationBase<?>> T starting(T configuration) {
        listener.processStarting("Run", new ExecutionEnvironment(configuration));
        return configuration;
    }

    private static Map<String, String> own() {
        return new HashMap<>(Map.of("OWN", "mine", "B", "gone"));
    }

    @Test
    void javaProgramsGetTheVariables() throws Exception {
        JavaExtension extension = new JavaExtension();
        Application application = new Application();
        assertTrue(extension.isApplicableFor(application));
        assertFalse(extension.isApplicableFor(new Remote()));
        JavaParameters parameters = new JavaParameters();
        parameters.setEnv(own());
        extension.updateJavaParameters(application, parameters, null);
        assertEquals(own(), parameters.getEnv(), "nothing was started");
        starting(application);
        extension.updateJavaParameters(application, parameters, null);
        assertEquals(GIVEN, parameters.getEnv());
        assertTrue(parameters.isPassParentEnvs());
        assertEquals(List.of("Looking"), ProgressManager.STEPS);
        assertEquals(List.of(), Notifications.SHOWN);
    }

    @Test
    void pythonProgramsGetThemByEitherWay() throws Exception {
        Python python = starting(new Python());
        GeneralCommandLine line = new GeneralCommandLine();
        line.getEnvironment().putAll(own());
        PythonExtension extension = new PythonExtension();
        assertTrue(extension.isApplicableFor(python) && extension.isEnabledFor(python, null));
        extension.patchCommandLine(python, null, line, "Run");
        assertEquals(GIVEN, line.getEnvironment());
        PythonExecution program = new PythonExecution();
        own().forEach(program::addEnvironmentVariable);
        new PythonTargets().extendTargetEnvironment(python.getProject(), null, program, python);
        assertEquals(GIVEN, program.getEnvs());
        PythonExecution console = new PythonExecution();
        PythonRunParams other = new PythonRunParams() {};
        new PythonTargets().extendTargetEnvironment(python.getProject(), null, console, other);
        assertEquals(Map.of(), console.getEnvs());
    }

    @Test
    void goProgramsGetThemAndTheirBuildDoesNot() throws Exception {
        Go go = starting(new Go());
        GoExtension extension = new GoExtension();
        assertTrue(extension.isApplicableFor(go) && extension.isEnabledFor(go, null));
        TargetedCommandLineBuilder line = new TargetedCommandLineBuilder();
        line.env.putAll(own());
        extension.patchCommandLine(go, null, line, "Run", null, CommandLineType.BUILD);
        assertEquals(own(), line.env);
        extension.patchCommandLine(go, null, line, "Run", null, CommandLineType.RUN);
        assertEquals(GIVEN, line.env);
    }

    @Test
    void nodeProgramsGetThem() throws Exception {
        Node node = starting(new Node());
        NodeExtension extension = new NodeExtension();
        assertTrue(extension.isApplicableFor(node));
        NodeTargetRun run = new NodeTargetRun();
        run.getCommandLineBuilder().env.putAll(own());
        extension.createLaunchSession(node, new ExecutionEnvironment(node)).addNodeOptionsTo(run);
        assertEquals(GIVEN, run.getCommandLineBuilder().env);
    }

    @Test
    void rubyProgramsGetThem() throws Exception {
        Ruby ruby = starting(new Ruby());
        RubyExtension extension = new RubyExtension();
        assertTrue(extension.isApplicableFor(ruby) && extension.isEnabledFor(ruby, null));
        GeneralCommandLine line = new GeneralCommandLine();
        line.getEnvironment().putAll(own());
        extension.patchCommandLine(ruby, null, line, "Run");
        assertEquals(GIVEN, line.getEnvironment());
    }

    @Test
    void dotNetProgramsGetThem() throws Exception {
        Project project = starting(new DotNetProjectConfiguration()).getProject();
        GeneralCommandLine line = new GeneralCommandLine();
        line.getEnvironment().putAll(own());
        assertNull(new RiderExtension().patchRunCommandLine(line, null, project));
        assertEquals(GIVEN, line.getEnvironment());
        WorkerRunInfo worker = new WorkerRunInfo();
        new RiderExtension().patchDebugCommandLine(null, worker, null, project);
        assertEquals(Map.of("A", "1"), worker.getCommandLine().getEnvironment());
    }

    @Test
    void aSessionThatFailsIsAnErrorOfTheStart() throws Exception {
        config("bad");
        Application application = starting(new Application());
        ExecutionException failure = assertThrows(ExecutionException.class,
            () -> new JavaExtension().updateJavaParameters(application, new JavaParameters(), null));
        assertEquals("mirrord: no such &lt;key&gt;", failure.getMessage());
        assertEquals(List.of("mirrord, ERROR: no such &lt;key&gt;"), Notifications.SHOWN);
    }

    @Test
    void aStartThatTheUserGivesUpIsNoError() throws Exception {
        config("slow");
        ProgressManager.isCancelled = true;
        Application application = starting(new Application());
        assertThrows(ProcessCanceledException.class,
            () -> new JavaExtension().updateJavaParameters(application, new JavaParameters(), null));
        assertEquals(List.of(), Notifications.SHOWN);
    }

    @Test
    void aSessionEndsWithItsProgram() throws Exception {
        Application application = new Application();
        ExecutionEnvironment start = new ExecutionEnvironment(application);
        ProcessHandler program = new ProcessHandler();
        listener.processStarting("Debug", start);
        new JavaExtension().updateJavaParameters(application, new JavaParameters(), null);
        listener.processStarted("Debug", start, program);
        assertFalse(program.isDestroyed);
        assertFalse(fake.read("calls").contains("ended"));
        listener.processTerminated("Debug", start, program, 0);
        assertTrue(fake.awaitIn("calls", "ended").endsWith("ended\n"));
    }

    @Test
    void aStartThatTheIdeGivesUpEndsItsSession() throws Exception {
        ExecutionEnvironment start = new ExecutionEnvironment(new Application());
        listener.processStarting("Run", start);
        listener.processNotStarted("Run", start);
        assertTrue(fake.awaitIn("calls", "ended").endsWith("ended\n"));
        assertEquals(List.of(), Notifications.SHOWN);
    }

    @Test
    void theSwitchAndTheMenuChangeWhatIsKept() {
        AnActionEvent event = new AnActionEvent(RunConfigurationBase.theirs);
        SwitchAction action = new SwitchAction();
        assertTrue(action.isSelected(event));
        action.setSelected(event, false);
        action.update(event);
        assertEquals("mirrord: off", event.getPresentation().text);
        assertNull(memory.get(Memory.ON));
        memory.put(Memory.TARGET, "pod/a");
        memory.put(Memory.CONFIG, "other.json");
        new MenuAction.AskForTarget().actionPerformed(event);
        new MenuAction.UsualConfig().actionPerformed(event);
        assertNull(memory.get(Memory.TARGET));
        assertNull(memory.get(Memory.CONFIG));
        AnActionEvent nowhere = new AnActionEvent(null);
        action.update(nowhere);
        assertFalse(nowhere.getPresentation().isEnabled || action.isSelected(nowhere));
    }
}
