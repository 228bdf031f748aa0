// A folder with a program "mirrord" that a shell script plays, removed with the test.

package mirrord.editor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

public final class FakeMirrord implements AutoCloseable {
    public static final String TASK = "\"name\":\"mirrord preparing to launch\"";
    /** Keeps what it was called with, gets ready with A=1 and without B, and lives until it is to end. */
    public static final String SESSION = """
        echo "$*" >>calls
        env | grep ^MIRRORD_ | sort >variables
        sleep 600 >/dev/null 2>&1 &
        trap 'kill $!; echo ended >>calls; exit 0' TERM
        printf '%s\\n' '{"type":"FinishedTask","name":"mirrord preparing to launch","success":true,"message":"{\\"environment\\":{\\"A\\":\\"1\\"},\\"patched_path\\":null,\\"env_to_unset\\":[\\"B\\"],\\"uses_operator\\":false}"}'
        wait $!
        """;

    public final Path folder;
    public final Path program;

    public FakeMirrord(String script) throws IOException {
        folder = Files.createTempDirectory("mirrord-jetbrains-");
        program = folder.resolve("mirrord");
        Files.writeString(program, "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Mirrord mirrord(Map<String, String> more) {
        Map<String, String> variables = new java.util.HashMap<>(more);
        variables.put("PATH", "/usr/bin:/bin");
        return new Mirrord(program.toString(), folder, variables);
    }

    public String read(String name) throws IOException {
        return Files.readString(folder.resolve(name));
    }

    /** Waits for the file to hold `text`: what wrote it has ended meanwhile. */
    public String awaitIn(String name, String text) throws IOException, InterruptedException {
        for (int i = 0; i < 1000; i++) {
            if (Files.exists(folder.resolve(name)) && read(name).contains(text)) break;
            Thread.sleep(20);
        }
        return read(name);
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException cause) {
                    throw new UncheckedIOException(cause);
                }
            });
        }
    }
}
