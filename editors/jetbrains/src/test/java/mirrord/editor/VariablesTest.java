// Variables that run configurations have, and are lent.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.intellij.openapi.externalSystem.service.execution.ExternalSystemRunConfiguration;
import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import java.util.List;
import java.util.Map;
import org.jetbrains.idea.maven.execution.MavenRunConfiguration;
import org.jetbrains.idea.maven.execution.MavenRunner;
import org.jetbrains.idea.maven.execution.MavenRunnerSettings;
import org.junit.jupiter.api.Test;

class VariablesTest {
    private static final Launch LAUNCH = new Launch(Map.of("A", "pod"), List.of("GONE"), null);

    /** As npm's configuration: its variables lie two steps away. */
    public static class Npm {
        public record Data(Map<String, String> envs) {
            public Map<String, String> getEnvs() {
                return envs;
            }
        }

        public record Settings(Data data) {
            public Data getEnvData() {
                return data;
            }
        }

        public Settings getRunSettings() {
            return new Settings(new Data(Map.of("N", "1")));
        }
    }

    @Test
    void eachKindKeepsThemSomewhereElse() {
        assertEquals(Map.of("P", "1"), Variables.of(new AbstractPythonRunConfiguration(Map.of("P", "1"))));
        assertEquals(Map.of("OWN", "mine"), Variables.of(new ExternalSystemRunConfiguration("run")));
        assertEquals(Map.of("N", "1"), Variables.of(new Npm()));
        assertEquals(Map.of(), Variables.of(new Object()));
    }

    @Test
    void gradleHasThemBackAsTheyWere() {
        ExternalSystemRunConfiguration gradle = new ExternalSystemRunConfiguration("run");
        Map<String, String> before = gradle.getSettings().getEnv();
        Runnable giveBack = Variables.lend(gradle, LAUNCH);
        assertEquals(Map.of("OWN", "mine", "A", "pod"), gradle.getSettings().getEnv());
        giveBack.run();
        assertSame(before, gradle.getSettings().getEnv());
    }

    @Test
    void mavenHasThemBackAsTheyWere() {
        MavenRunnerSettings settings = new MavenRunnerSettings(Map.of("GONE", "1", "M", "2"));
        MavenRunConfiguration maven = new MavenRunConfiguration(settings, "verify");
        Runnable giveBack = Variables.lend(maven, LAUNCH);
        assertEquals(Map.of("M", "2", "A", "pod"), settings.getEnvironmentProperties());
        giveBack.run();
        assertEquals(Map.of("GONE", "1", "M", "2"), settings.getEnvironmentProperties());
    }

    @Test
    void mavenWithoutSettingsOfItsOwnRunsWithACopyOfTheProjects() {
        MavenRunConfiguration maven = new MavenRunConfiguration(null, "verify");
        Runnable giveBack = Variables.lend(maven, LAUNCH);
        assertEquals(Map.of("WIDE", "1", "A", "pod"), maven.getRunnerSettings().getEnvironmentProperties());
        assertEquals(Map.of("WIDE", "1"), MavenRunner.WIDE.getEnvironmentProperties());
        giveBack.run();
        assertNull(maven.getRunnerSettings());
    }

    @Test
    void otherConfigurationsAreLentNothing() {
        assertNull(Variables.lend(new Object(), LAUNCH));
    }

    @Test
    void aConfigurationMayRunElsewhere() {
        AbstractPythonRunConfiguration python = new AbstractPythonRunConfiguration(Map.of());
        assertNull(Variables.otherMachine(python));
        python.machine = "@@@LOCAL@@@";
        assertNull(Variables.otherMachine(python));
        python.machine = "Docker";
        assertEquals("Docker", Variables.otherMachine(python));
    }
}
