// The plugin's logic with the real program, where tests/editors/jetbrains_test.ts gives a process as the
// target: a start as the IDE tells of it, a program with what it is given, the end.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

@EnabledIfEnvironmentVariable(named = "MIRRORD_TEST_PROGRAM", matches = ".+")
class RealMirrordTest {
    private static final String PROGRAM = System.getenv("MIRRORD_TEST_PROGRAM");
    private static final String TARGET = System.getenv("MIRRORD_TEST_TARGET");
    private static final String SCRIPT =
        "import os, sys; print(*[os.environ.get(n) for n in ('GREETING', 'OWN', 'SECRET_TOKEN', 'INHERITED')])";

    @TempDir
    Path folder;

    private Map<String, String> environment() {
        Map<String, String> all = new java.util.HashMap<>(System.getenv());
        all.keySet().removeIf(name -> name.startsWith("MIRRORD_"));
        all.put("XDG_RUNTIME_DIR", folder.toString());
        return all;
    }

    private Path config(String json) throws Exception {
        Files.createDirectories(folder.resolve(".mirrord"));
        return Files.writeString(folder.resolve(".mirrord/mirrord.json"), json);
    }

    /** Runs Python with the variables of the launch over `own`, and returns what it printed. */
    private static String python(Launch launch, Map<String, String> own, Map<String, String> parent) throws Exception {
        Launch.Merged merged = launch.merge(own, true, parent);
        ProcessBuilder builder = new ProcessBuilder("/usr/bin/python3", "-c", SCRIPT);
        builder.environment().clear();
        if (merged.hasParent()) builder.environment().putAll(parent);
        builder.environment().putAll(merged.variables());
        Process program = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, program.waitFor());
        return said.strip();
    }

    @Test
    void aProgramThatTheIdeStartsIsInASessionUntilItEnds() throws Exception {
        config("{\"target\": \"" + TARGET + "\", \"feature\": {\"env\": {\"exclude\": \"SECRET_TOKEN\", \"unset\": \"INHERITED\"}}}");
        FakeDesk desk = new FakeDesk();
        Runs runs = new Runs(folder, this::environment, desk, desk);
        desk.set(Memory.PROGRAM, PROGRAM);
        runs.turn(true);
        AbstractPythonRunConfiguration run = new AbstractPythonRunConfiguration(Map.of("OWN", "mine"));
        runs.starting(7, run);
        assertEquals(List.of(), desk.shown.stream().filter(line -> line.startsWith("error")).toList());
        Launch launch = runs.take(run, Kind.PYTHON);
        assertTrue(launch.environment().containsKey("LD_PRELOAD"), launch.environment().keySet().toString());
        Map<String, String> parent = Map.of("PATH", "/usr/bin:/bin", "INHERITED", "from the IDE");
        assertEquals("from-the-target mine None None", python(launch, Map.of("OWN", "mine"), parent));
        assertTrue(desk.shown.contains("step Looking for the target"), desk.shown.toString());
        runs.started(7, () -> desk.shown.add("stopped"));
        runs.ended(7);
        assertFalse(desk.shown.contains("stopped"));
    }

    @Test
    void aGoPackageThatWouldBeStaticIsRefused() throws Exception {
        Files.writeString(folder.resolve("go.mod"), "module example.com/hello\n\ngo 1.19\n");
        Path file = Files.writeString(folder.resolve("main.go"), "package main\n\nfunc main() {}\n");
        Map<String, String> variables = environment();
        variables.put("CGO_ENABLED", "0");
        Stream<String> places = Stream.of(variables.get("PATH").split(":"));
        assumeTrue(places.anyMatch(one -> Files.exists(Path.of(one, "go"))), "there is no Go");
        Mirrord.Order order = new Mirrord.Order(null, TARGET, null, file.toString());
        MirrordFailure failure = assertThrows(MirrordFailure.class,
            () -> new Mirrord(PROGRAM, folder, variables).open(order, Kind.GO, new Heard(), () -> false));
        assertTrue(failure.getMessage().contains("static"), failure.text());
    }

    @Test
    @EnabledIfEnvironmentVariable(named = "MIRRORD_TEST_KUBECONFIG", matches = ".+")
    void targetsOfAClusterAreListed() throws Exception {
        Map<String, String> variables = environment();
        variables.put("KUBECONFIG", System.getenv("MIRRORD_TEST_KUBECONFIG"));
        Targets found = new Mirrord(PROGRAM, folder, variables).list(null, null, () -> false);
        assertEquals("shop", found.namespace());
        assertTrue(found.all().contains(new Targets.Target("pod/web-1", true)), found.toString());
        assertEquals("pod/web-1", new Picker(found, "pod/web-1").rows("", "").get(0).target());
    }

    @Test
    void sessionsVersionsVerdictsAndFailuresAreTheContracts() throws Exception {
        Mirrord mirrord = new Mirrord(PROGRAM, folder, environment());
        assertTrue(mirrord.version().matches("\\d+\\.\\d+\\.\\d+.*"), mirrord.version());
        Verdict good = mirrord.verify(config("{\"target\": \"" + TARGET + "\"}"), () -> false);
        assertEquals(new Verdict(List.of(), List.of(), true), good);
        assertFalse(mirrord.verify(config("{}"), () -> false).hasTarget());
        Verdict bad = mirrord.verify(config("{\"feature\": {\"netwrok\": {}}}"), () -> false);
        assertTrue(bad.errors().get(0).contains("netwrok"), bad.toString());
        Mirrord.Order order = new Mirrord.Order(config("{}"), "process/1999999999", null, null);
        MirrordFailure failure =
            assertThrows(MirrordFailure.class, () -> mirrord.open(order, Kind.GO, new Heard(), () -> false));
        assertTrue(failure.getMessage().startsWith("Cannot "), failure.getMessage());
        Mirrord.Order right = new Mirrord.Order(null, TARGET, null, null);
        Session session = mirrord.open(right, Kind.NODE, new Heard(), () -> false);
        session.end();
        assertNull(session.ended().get(120, TimeUnit.SECONDS));
    }
}
