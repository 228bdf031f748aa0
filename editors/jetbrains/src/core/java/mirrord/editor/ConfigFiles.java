// Configuration files of a project: the usual one, what is one by its name, and a new one.

package mirrord.editor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The names are those of docs/configuration.md. */
public final class ConfigFiles {
    private static final List<String> USUAL =
        List.of("mirrord.json", "mirrord.yaml", "mirrord.yml", "mirrord.toml");
    private static final Pattern NAME = Pattern.compile(".*mirrord\\.(json|ya?ml|toml)");
    private static final Pattern ANY_NAME = Pattern.compile(".*\\.(json|ya?ml|toml)");
    private static final String NEW = """
        {
          "feature": {
            "network": { "incoming": "mirror", "outgoing": true },
            "fs": "read",
            "env": true
          }
        }
        """;

    private ConfigFiles() {}

    /** The file that mirrord uses in `folder` without being told; null: there is none. */
    public static Path usual(Path folder) {
        if (folder == null) return null;
        return USUAL.stream().map(name -> folder.resolve(".mirrord").resolve(name))
            .filter(Files::isRegularFile).findFirst().orElse(null);
    }

    /** Is it a configuration of mirrord by its name and folder? */
    public static boolean isConfig(Path file) {
        String name = String.valueOf(file.getFileName());
        Path folder = file.getParent();
        boolean isInOwn = folder != null && String.valueOf(folder.getFileName()).equals(".mirrord");
        return !name.endsWith(".schema.json") && (isInOwn ? ANY_NAME : NAME).matcher(name).matches();
    }

    /** Writes the usual file unless there is one, and returns it. */
    public static Path create(Path folder) throws MirrordFailure {
        Path there = usual(folder);
        if (there != null) return there;
        Path file = folder.resolve(".mirrord").resolve(USUAL.get(0));
        try {
            Files.createDirectories(file.getParent());
            return Files.writeString(file, NEW);
        } catch (IOException cause) {
            throw new MirrordFailure("Cannot write \"" + file + "\": " + cause.getMessage(), "");
        }
    }
}
