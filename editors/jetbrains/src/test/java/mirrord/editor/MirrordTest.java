// The program as the plugin calls it, played by a shell script.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class MirrordTest {
    private static final Mirrord.Order ORDER = new Mirrord.Order(Path.of("/a b.json"), "pod/a", "shop", "/x/main.go");

    @Test
    void linesBecomeStepsMessagesAndTheLaunch() throws Exception {
        String script = """
            printf '%s\\n' '{"type":"NewTask","name":"mirrord preparing to launch","parent":null}' '{"type":"NewTask","name":"Looking","parent":"x"}'
            printf '%s\\n' '{"type":"FinishedTask","name":"Looking","success":true,"message":"Found"}' 'no JSON'
            printf '{"type":"Warning",'
            printf '%s\\n' '"message":"schön"}' '{"type":"request","port":80}' '[]'
            printf '%s\\n' '{"type":"IdeMessage","message":{"id":"a","level":"Warning","text":"two","actions":[{"kind":"Link","label":"More","link":"https://a.example"}]}}'
            """ + FakeMirrord.SESSION;
        try (FakeMirrord fake = new FakeMirrord(script)) {
            Heard heard = new Heard();
            Session session = fake.mirrord(Map.of()).open(ORDER, Kind.JAVA, heard, () -> false);
            assertEquals(Map.of("A", "1"), session.launch().environment());
            assertEquals(List.of("B"), session.launch().unset());
            assertNull(session.launch().patchedPath());
            assertEquals(
                List.of("step Looking", "info Found", "info no JSON", "warning schön", "info []",
                    "warning two More https://a.example"),
                heard.said);
            assertEquals("ext -t pod/a -f /a b.json -e /x/main.go\n", fake.read("calls"));
            assertFalse(session.ended().isDone());
            session.end();
            assertNull(session.ended().get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void mirrordIsToldWhoCallsAndForWhichDebugger() throws Exception {
        try (FakeMirrord fake = new FakeMirrord(FakeMirrord.SESSION)) {
            Mirrord mirrord = fake.mirrord(Map.of("MIRRORD_IGNORE_DEBUGGER_PORTS", "5"));
            mirrord.open(ORDER, Kind.PYTHON, new Heard(), () -> false).end();
            assertEquals("""
                MIRRORD_DETECT_DEBUGGER_PORT=pydevd
                MIRRORD_EXT_PRINT_CONFIG=true
                MIRRORD_IDE_NAME=intellij
                MIRRORD_IGNORE_DEBUGGER_PORTS=5
                MIRRORD_LS_RICH_OUTPUT=true
                MIRRORD_PROGRESS_MODE=json
                MIRRORD_PROGRESS_SUPPORT_IDE=true
                MIRRORD_TARGET_NAMESPACE=shop
                """, fake.read("variables"));
            fake.awaitIn("calls", "ended");
        }
    }

    @Test
    void aSessionOutlivesTheThreadThatOpenedIt() throws Exception {
        try (FakeMirrord fake = new FakeMirrord(FakeMirrord.SESSION)) {
            AtomicReference<Session> opened = new AtomicReference<>();
            Thread thread = new Thread(() -> {
                try {
                    opened.set(fake.mirrord(Map.of()).open(ORDER, Kind.GO, new Heard(), () -> false));
                } catch (MirrordFailure failure) {
                    throw new IllegalStateException(failure);
                }
            });
            thread.start();
            thread.join();
            assertThrows(java.util.concurrent.TimeoutException.class,
                () -> opened.get().ended().get(1, TimeUnit.SECONDS));
            opened.get().end();
            assertNull(opened.get().ended().get(60, TimeUnit.SECONDS));
        }
    }

    @Test
    void aFailureHasMirrordsSentenceAndWhatToDo() throws Exception {
        String script = "echo loader: warning >&2\n"
            + "echo 'Error: {\"message\":\"Cannot go\",\"help\":\"Do this.\",\"causes\":[\"deeper\"]}' >&2; exit 69";
        try (FakeMirrord fake = new FakeMirrord(script)) {
            MirrordFailure failure = assertThrows(MirrordFailure.class,
                () -> fake.mirrord(Map.of()).open(ORDER, Kind.RUBY, new Heard(), () -> false));
            assertEquals("Cannot go: deeper", failure.getMessage());
            assertEquals("Do this.", failure.help());
        }
    }

    @Test
    void anotherProgramIsAFailureToo() throws Exception {
        try (FakeMirrord fake = new FakeMirrord("echo old release >&2; echo 'Error: {' >&2; exit 2")) {
            MirrordFailure failure =
                assertThrows(MirrordFailure.class, () -> fake.mirrord(Map.of()).list(null, null, () -> false));
            assertEquals("old release\nError: {", failure.getMessage());
        }
        try (FakeMirrord fake = new FakeMirrord("echo hello")) {
            assertThrows(MirrordFailure.class, () -> fake.mirrord(Map.of()).version());
            assertThrows(MirrordFailure.class, () -> fake.mirrord(Map.of()).list(null, null, () -> false));
        }
        Mirrord nowhere = new Mirrord("/nowhere/mirrord", null, Map.of());
        MirrordFailure failure = assertThrows(MirrordFailure.class, nowhere::version);
        assertTrue(failure.text().startsWith("Cannot run \"/nowhere/mirrord\": "), failure.text());
        assertTrue(failure.help().startsWith("Install mirrord"), failure.help());
    }

    @Test
    void mirrordThatEndsBeforeItIsReadyIsAFailure() throws Exception {
        try (FakeMirrord fake = new FakeMirrord("exit 0")) {
            MirrordFailure failure = assertThrows(MirrordFailure.class,
                () -> fake.mirrord(Map.of()).open(ORDER, Kind.NODE, new Heard(), () -> false));
            assertEquals("mirrord ended before it was ready", failure.getMessage());
        }
    }

    @Test
    void aSessionThatIsLostSaysWhy() throws Exception {
        String script = FakeMirrord.SESSION.replace("wait $!",
            "kill $!; echo 'Error: {\"message\":\"Lost the agent\",\"help\":\"\",\"causes\":[]}' >&2; exit 74");
        try (FakeMirrord fake = new FakeMirrord(script)) {
            Session session = fake.mirrord(Map.of()).open(ORDER, Kind.NODE, new Heard(), () -> false);
            assertEquals("Lost the agent", session.ended().get(60, TimeUnit.SECONDS).getMessage());
        }
    }

    @Test
    void aStartThatIsCancelledEndsMirrord() throws Exception {
        String script = "echo started >>calls; sleep 600 >/dev/null 2>&1 &\n"
            + "trap 'kill $!; echo ended >>calls; exit 130' TERM; echo '{\"type\":\"NewTask\",\"name\":\"Looking\"}'; wait $!";
        try (FakeMirrord fake = new FakeMirrord(script)) {
            Heard heard = new Heard();
            MirrordFailure failure = assertThrows(MirrordFailure.class,
                () -> fake.mirrord(Map.of()).open(ORDER, Kind.JAVA, heard, () -> !heard.said.isEmpty()));
            assertTrue(failure.isCancelled());
            assertTrue(fake.awaitIn("calls", "ended").endsWith("ended\n"));
        }
    }

    @Test
    void versionsVerdictsAndListsAreReadAsTheContractHasThem() throws Exception {
        String script = """
            case $1 in
              --version) echo 'mirrord 1.2.3' ;;
              verify-config) case $3 in
                *bad.json) echo '{"type":"Fail","errors":["no such key"]}' ;;
                *none.json) echo '{"type":"Success","config":{"path":null,"namespace":null},"warnings":["w"],"compatible_target_types":[]}' ;;
                *) echo '{"type":"Success","config":{"path":{"deployment":"a"},"namespace":null},"warnings":[],"compatible_target_types":[]}' ;;
              esac ;;
              ls) echo "$*" >>calls
                echo '{"targets":[{"path":"pod/a","available":true},{"path":"pod/b","available":false}],"current_namespace":"n","namespaces":["n","o"]}' ;;
            esac
            """;
        try (FakeMirrord fake = new FakeMirrord(script)) {
            Mirrord mirrord = fake.mirrord(Map.of());
            assertEquals("1.2.3", mirrord.version());
            assertEquals(new Verdict(List.of("no such key"), List.of(), false),
                mirrord.verify(Path.of("bad.json"), () -> false));
            assertEquals(new Verdict(List.of(), List.of("w"), false),
                mirrord.verify(Path.of("none.json"), () -> false));
            assertEquals(new Verdict(List.of(), List.of(), true),
                mirrord.verify(Path.of("one.json"), () -> false));
            List<Targets.Target> all =
                List.of(new Targets.Target("pod/a", true), new Targets.Target("pod/b", false));
            assertEquals(new Targets(all, "n", List.of("n", "o")),
                mirrord.list(Path.of("a.json"), "shop", () -> false));
            mirrord.list(null, null, () -> false);
            assertEquals("ls -f a.json -n shop\nls\n", fake.read("calls"));
        }
    }

    @Test
    void theProgramIsTheSettingsOrOnThePathOrWhereInstallersPutIt() throws Exception {
        try (FakeMirrord fake = new FakeMirrord("exit 0")) {
            String file = fake.program.toString();
            assertEquals(file, Mirrord.find(file, Map.of()));
            assertEquals(file, Mirrord.find(" ", Map.of("PATH", "/nowhere::" + fake.folder)));
            Path home = Files.createDirectories(fake.folder.resolve("home/.local/bin"));
            Files.copy(fake.program, home.resolve("mirrord"), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            String found = Mirrord.find(null, Map.of("PATH", "/nowhere", "HOME", fake.folder + "/home"));
            assertEquals(home.resolve("mirrord").toString(), found);
            List<String> messages = new ArrayList<>();
            for (String setting : List.of(fake.folder + "/other", fake.folder.toString())) {
                messages.add(assertThrows(MirrordFailure.class, () -> Mirrord.find(setting, Map.of())).getMessage());
            }
            assertEquals("Cannot run \"" + fake.folder + "/other\": it is no program", messages.get(0));
            assertEquals("Cannot run \"" + fake.folder + "\": it is no program", messages.get(1));
        }
    }
}
