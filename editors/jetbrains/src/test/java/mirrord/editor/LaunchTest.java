// Variables of a program, before and after.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LaunchTest {
    private static final Launch LAUNCH = new Launch(Map.of("A", "pod", "LD_PRELOAD", "/l.so"), List.of("B", "C"), null);

    @Test
    void thePodsVariablesGoOverThePrograms() {
        Map<String, String> own = Map.of("A", "own", "B", "own", "D", "own");
        assertEquals(Map.of("A", "pod", "LD_PRELOAD", "/l.so", "D", "own"), LAUNCH.over(own));
    }

    @Test
    void aVariableOfTheIdeIsTakenAwayByGivingAllOthers() {
        Map<String, String> parent = Map.of("PATH", "/bin", "C", "ide", "D", "ide");
        assertEquals(
            new Launch.Merged(Map.of("A", "pod", "LD_PRELOAD", "/l.so", "PATH", "/bin", "D", "own"), false),
            LAUNCH.merge(Map.of("D", "own"), true, parent));
    }

    @Test
    void theIdesVariablesStayWhereNoneIsToGo() {
        Map<String, String> merged = Map.of("A", "pod", "LD_PRELOAD", "/l.so", "D", "own");
        assertEquals(new Launch.Merged(merged, true), LAUNCH.merge(Map.of("D", "own"), true, Map.of("PATH", "/bin")));
        assertEquals(new Launch.Merged(merged, false), LAUNCH.merge(Map.of("D", "own"), false, Map.of("B", "ide")));
    }
}
