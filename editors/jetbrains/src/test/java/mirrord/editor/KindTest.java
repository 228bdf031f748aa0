// Which run configurations run in a session.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.goide.execution.GoRunConfigurationBase;
import com.intellij.execution.CommonJavaRunConfigurationParameters;
import com.intellij.execution.configurations.RemoteRunProfile;
import com.intellij.openapi.externalSystem.service.execution.ExternalSystemRunConfiguration;
import com.jetbrains.python.run.AbstractPythonRunConfiguration;
import com.jetbrains.rider.run.configurations.project.DotNetProjectConfiguration;
import com.jetbrains.rider.run.configurations.remote.MonoRemoteConfiguration;
import java.util.List;
import java.util.Map;
import org.jetbrains.idea.maven.execution.MavenRunConfiguration;
import org.junit.jupiter.api.Test;

class KindTest {
    static class Application implements CommonJavaRunConfigurationParameters {}

    static class SpringBoot extends Application {}

    static class Remote extends Application implements RemoteRunProfile {}

    static class AttachToNode extends AbstractPythonRunConfiguration {
        AttachToNode() {
            super(Map.of());
        }
    }

    private static Kind gradle(String... tasks) {
        return Kind.of(new ExternalSystemRunConfiguration(tasks));
    }

    private static Kind maven(String... goals) {
        return Kind.of(new MavenRunConfiguration(null, goals));
    }

    @Test
    void programsAreKnownByWhatTheyExtendOrImplement() {
        assertEquals(Kind.JAVA, Kind.of(new SpringBoot()));
        assertEquals(Kind.PYTHON, Kind.of(new AbstractPythonRunConfiguration(Map.of()) {}));
        assertNull(Kind.of("something else"));
    }

    @Test
    void whatAttachesIsLeftAlone() {
        assertNull(Kind.of(new Remote()));
        assertTrue(Kind.isAttach(new Remote()));
        assertNull(Kind.of(new AttachToNode()));
        assertFalse(Kind.isAttach(new SpringBoot()));
    }

    @Test
    void aBuildIsNoProgram() {
        assertEquals(Kind.GRADLE, gradle(":app:bootRun"));
        assertEquals(Kind.GRADLE, gradle("clean", "test"));
        assertNull(gradle(":app:classes", ":app:testClasses"));
        assertNull(gradle("clean", "compileIntegrationTestJava", "--info"));
        assertEquals(Kind.MAVEN, maven("spring-boot:run"));
        assertEquals(Kind.MAVEN, maven("clean", "verify"));
        assertNull(maven("clean", "package", "-DskipTests"));
    }

    /** As GoLand's: where the sources lie depends on the kind. */
    public static class GoApplication extends GoRunConfigurationBase {
        private final String kind;

        GoApplication(String kind) {
            this.kind = kind;
        }

        public String getKind() {
            return kind;
        }

        public String getDirectoryPath() {
            return "/src";
        }

        public List<String> getFilePaths() {
            return List.of("/src/main.go");
        }
    }

    @Test
    void goProgramsAreLookedAtBeforeTheyAreBuilt() {
        GoApplication directory = new GoApplication("DIRECTORY");
        assertEquals(Kind.GO, Kind.of(directory));
        assertEquals("/src", Kind.GO.executable(directory));
        assertEquals("/src/main.go", Kind.GO.executable(new GoApplication("FILE")));
        assertNull(Kind.GO.executable(new GoApplication("PACKAGE")));
        assertNull(Kind.JAVA.executable(directory));
    }

    @Test
    void ridersConfigurationsAreKnownByTheirPackage() {
        assertEquals(Kind.DOTNET, Kind.of(new DotNetProjectConfiguration()));
        assertNull(Kind.of(new MonoRemoteConfiguration()));
        assertTrue(Kind.isAttach(new MonoRemoteConfiguration()));
    }

    @Test
    void mirrordIsToldOfTheDebugger() {
        assertEquals(Map.of("MIRRORD_DETECT_DEBUGGER_PORT", "javaagent"), Kind.MAVEN.variables());
        assertEquals(Map.of("MIRRORD_SKIP_PROCESSES", "dlv;debugserver;go"), Kind.GO.variables());
        assertEquals(Map.of(), Kind.RUBY.variables());
    }
}
