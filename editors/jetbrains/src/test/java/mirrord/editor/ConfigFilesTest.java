// Configuration files in a project's folder.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFilesTest {
    @TempDir
    Path folder;

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void theUsualFileIsTheOneThatMirrordUses() throws Exception {
        assertNull(ConfigFiles.usual(folder));
        assertNull(ConfigFiles.usual(null));
        write(".mirrord/mirrord.toml", "");
        assertEquals(folder.resolve(".mirrord/mirrord.toml"), ConfigFiles.usual(folder));
        write(".mirrord/mirrord.yaml", "");
        assertEquals(folder.resolve(".mirrord/mirrord.yaml"), ConfigFiles.usual(folder));
    }

    @Test
    void aFileIsAConfigurationByItsNameAndFolder() {
        for (String name : List.of("a.mirrord.json", "deep/er/mirrord.toml", ".mirrord/any.yml")) {
            assertTrue(ConfigFiles.isConfig(folder.resolve(name)), name);
        }
        for (String name : List.of(".mirrord/mirrord.schema.json", "package.json", "mirrord.txt")) {
            assertFalse(ConfigFiles.isConfig(folder.resolve(name)), name);
        }
    }

    @Test
    void aNewFileIsOneOfMirrordsAndNoneIsOverwritten() throws Exception {
        Path file = ConfigFiles.create(folder);
        assertEquals(folder.resolve(".mirrord/mirrord.json"), file);
        assertTrue(JsonParser.parseString(Files.readString(file)).getAsJsonObject().has("feature"));
        Files.writeString(file, "{}");
        assertEquals(file, ConfigFiles.create(folder));
        assertEquals("{}", Files.readString(file));
    }
}
