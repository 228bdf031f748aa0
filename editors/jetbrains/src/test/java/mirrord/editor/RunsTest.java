// Starts of programs, from what the IDE tells to what mirrord is asked. mirrord is played by a shell script.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.intellij.execution.configurations.RemoteRunProfile;
import com.intellij.openapi.externalSystem.service.execution.ExternalSystemRunConfiguration;
import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RunsTest {
    private static final String SCRIPT = """
        case $1 in
          verify-config) echo "$*" >>calls
            case $3 in
              *bad.json) echo '{"type":"Fail","errors":["no such key"]}' ;;
              *named.json) echo '{"type":"Success","config":{"path":{"pod":"a"}},"warnings":["old"]}' ;;
              *) echo '{"type":"Success","config":{"path":null},"warnings":[]}' ;;
            esac; exit ;;
          ls) echo "$*" >>calls
            echo '{"targets":[{"path":"pod/a","available":true}],"current_namespace":"'"${3:-n}"'","namespaces":["n","o"]}'; exit ;;
          ext) case $* in
              *named.json) echo '{"type":"Warning","message":"old"}' ;;
            esac ;;
        esac
        """ + FakeMirrord.SESSION;

    private final FakeDesk desk = new FakeDesk();
    private final AbstractPythonRunConfiguration python = new AbstractPythonRunConfiguration(Map.of());
    private FakeMirrord fake;
    private Runs runs;

    @BeforeEach
    void begin() throws Exception {
        fake = new FakeMirrord(SCRIPT);
        runs = new Runs(fake.folder, () -> Map.of("PATH", "/usr/bin:/bin"), desk, desk);
        desk.set(Memory.PROGRAM, fake.program.toString());
        runs.turn(true);
    }

    @AfterEach
    void end() throws Exception {
        runs.close();
        if (Files.exists(fake.folder.resolve("variables"))) fake.awaitIn("calls", "ended");
        fake.close();
    }

    private void config(String name) throws Exception {
        Files.writeString(fake.folder.resolve(name), "{}");
        desk.set(Memory.CONFIG, name);
    }

    @Test
    void theSwitchIsOffUntilItIsTurned() throws Exception {
        runs.turn(false);
        assertFalse(runs.isOn());
        runs.starting(1, python);
        assertNull(runs.take(python, Kind.PYTHON));
        assertEquals(List.of(), desk.shown);
    }

    @Test
    void aConfigurationDecidesForItself() throws Exception {
        AbstractPythonRunConfiguration never = new AbstractPythonRunConfiguration(Map.of("MIRRORD_ACTIVE", "0"));
        runs.starting(1, never);
        assertNull(runs.take(never, Kind.PYTHON));
        runs.turn(false);
        config("named.json");
        AbstractPythonRunConfiguration always = new AbstractPythonRunConfiguration(Map.of("MIRRORD_ACTIVE", "1"));
        runs.starting(2, always);
        assertEquals(Map.of("A", "1"), runs.take(always, Kind.PYTHON).environment());
    }

    @Test
    void aSessionBeginsWithTheProgramAndEndsWithIt() throws Exception {
        config("named.json");
        runs.starting(1, python);
        assertEquals(Map.of("A", "1"), runs.take(python, Kind.PYTHON).environment());
        runs.started(1, () -> desk.shown.add("stopped"));
        assertNull(runs.take(python, Kind.PYTHON), "a second program of one session");
        runs.ended(1);
        String file = fake.folder.resolve("named.json").toString();
        assertEquals("verify-config --ide " + file + "\next -f " + file + "\nended\n", fake.awaitIn("calls", "ended"));
        assertEquals(List.of("warning old"), desk.shown);
    }

    @Test
    void withoutATargetTheUserChoosesInAnyNamespace() throws Exception {
        desk.looks.add("o");
        desk.choices.add(new Desk.Choice("pod/a", "o", false));
        runs.starting(1, python);
        runs.take(python, Kind.PYTHON);
        assertEquals("ls\nls -n o\next -t pod/a\n", fake.read("calls"));
        assertTrue(fake.read("variables").contains("MIRRORD_TARGET_NAMESPACE=o\n"));
        assertEquals(List.of("choose in o [pod/a, targetless]"), desk.shown);
        assertEquals("pod/a", desk.get(Memory.LAST));
        assertNull(desk.get(Memory.TARGET));
    }

    @Test
    void aTargetThatIsKeptIsNotAskedForAgain() throws Exception {
        desk.choices.add(new Desk.Choice("pod/a", "n", true));
        runs.chooseTarget();
        runs.starting(1, python);
        runs.starting(2, python);
        assertEquals(List.of("choose in n [pod/a, targetless]"), desk.shown);
        assertEquals("ls\next -t pod/a\next -t pod/a\n", fake.read("calls"));
    }

    @Test
    void aClosedDialogStartsNothing() throws Exception {
        desk.choices.add(null);
        runs.starting(1, python);
        MirrordFailure failure = assertThrows(MirrordFailure.class, () -> runs.take(python, Kind.PYTHON));
        assertTrue(failure.isCancelled());
        assertEquals(List.of("choose in n [pod/a, targetless]"), desk.shown);
        runs.ended(1);
        assertNull(runs.take(python, Kind.PYTHON));
    }

    @Test
    void aBadConfigurationStartsNothing() throws Exception {
        config("bad.json");
        runs.starting(1, python);
        assertEquals(List.of("error no such key"), desk.shown);
        assertThrows(MirrordFailure.class, () -> runs.take(python, Kind.PYTHON));
    }

    @Test
    void theConfigurationsOwnVariablesReachMirrord() throws Exception {
        config("bad.json");
        AbstractPythonRunConfiguration own = new AbstractPythonRunConfiguration(
            Map.of("MIRRORD_CONFIG_FILE", "other.json", "MIRRORD_IMPERSONATED_TARGET", "pod/b"));
        runs.starting(1, own);
        runs.take(own, Kind.PYTHON);
        assertTrue(fake.read("calls").endsWith("ext -f " + fake.folder.resolve("other.json") + "\n"));
        assertTrue(fake.read("variables").contains("MIRRORD_IMPERSONATED_TARGET=pod/b\n"));
    }

    @Test
    void aProgramThatWasStartedWithoutTheVariablesIsReported() throws Exception {
        config("named.json");
        runs.starting(1, python);
        runs.started(1, () -> desk.shown.add("stopped"));
        assertEquals("warning The program runs outside the pod: the IDE gave it none of the variables",
            desk.shown.get(1));
        fake.awaitIn("calls", "ended");
    }

    @Test
    void eachStartHasItsOwnSession() throws Exception {
        config("named.json");
        AbstractPythonRunConfiguration other = new AbstractPythonRunConfiguration(Map.of());
        runs.starting(1, python);
        runs.starting(2, other);
        runs.ended(1);
        assertEquals(Map.of("A", "1"), runs.take(other, Kind.PYTHON).environment());
        assertNull(runs.take(null, Kind.DOTNET));
        assertEquals(Map.of("A", "1"), runs.take(null, Kind.PYTHON).environment());
    }

    @Test
    void gradleIsLentTheVariablesForItsStartAlone() throws Exception {
        config("named.json");
        ExternalSystemRunConfiguration gradle = new ExternalSystemRunConfiguration("bootRun");
        runs.starting(1, gradle);
        assertEquals(Map.of("OWN", "mine", "A", "1"), gradle.getSettings().getEnv());
        runs.started(1, () -> desk.shown.add("stopped"));
        assertEquals(Map.of("OWN", "mine"), gradle.getSettings().getEnv());
        runs.starting(2, gradle);
        runs.ended(2);
        assertEquals(Map.of("OWN", "mine"), gradle.getSettings().getEnv());
        assertEquals(List.of("warning old", "warning old"), desk.shown);
    }

    @Test
    void gradleIsStoppedWhereItsSessionFailed() throws Exception {
        config("bad.json");
        AtomicInteger stops = new AtomicInteger();
        runs.starting(1, new ExternalSystemRunConfiguration("bootRun"));
        runs.started(1, stops::incrementAndGet);
        assertEquals(1, stops.get());
    }

    @Test
    void whatAttachesAndWhatRunsElsewhereHasNoSession() throws Exception {
        runs.starting(1, new RemoteRunProfile() {});
        assertEquals(List.of(), desk.shown);
        python.machine = "Docker";
        runs.starting(2, python);
        runs.starting(3, new ExternalSystemRunConfiguration("classes"));
        assertEquals(
            List.of("warning The program has nothing of the pod: it runs on \"Docker\"",
                "info mirrord is not used: this run configuration builds, or is of a kind it does not know"),
            desk.shown);
        assertNull(runs.take(python, Kind.PYTHON));
    }

    @Test
    void theConfigurationIsOpenedOrWritten() throws Exception {
        assertEquals(fake.folder.resolve(".mirrord/mirrord.json"), runs.configToOpen());
        config("named.json");
        assertEquals(fake.folder.resolve("named.json"), runs.configToOpen());
        assertNull(new Runs(null, Map::of, new FakeDesk(), desk).configToOpen());
        assertEquals(List.of(), desk.shown);
    }

    @Test
    void aSessionThatOpensWhileTheProjectIsClosedEndsToo() throws Exception {
        config("named.json");
        Runs[] closed = new Runs[1];
        Map<String, String> environment = Map.of("PATH", "/usr/bin:/bin");
        closed[0] = new Runs(fake.folder, () -> {
            closed[0].close();
            return environment;
        }, desk, desk);
        closed[0].starting(1, python);
        assertNull(closed[0].take(python, Kind.PYTHON));
        assertTrue(fake.awaitIn("calls", "ended").endsWith("ended\n"));
    }

    @Test
    void theProjectsEndIsTheEndOfAllSessions() throws Exception {
        config("named.json");
        runs.starting(1, python);
        runs.take(python, Kind.PYTHON);
        runs.started(1, () -> {});
        runs.close();
        assertTrue(fake.awaitIn("calls", "ended").endsWith("ended\n"));
    }
}
