// The rows of the target dialog.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class PickerTest {
    private static final Targets TARGETS = new Targets(
        List.of(
            new Targets.Target("deployment/api", true),
            new Targets.Target("deployment/old", false),
            new Targets.Target("pod/api-1/container/web", true),
            new Targets.Target("pod/Shop", true)),
        "n", List.of("m", "n"));

    private static List<String> shown(Picker picker, String kind, String filter) {
        return picker.rows(kind, filter).stream().map(Picker.Row::toString).toList();
    }

    @Test
    void theLastOneIsFirstAndNoneIsLast() {
        Picker picker = new Picker(TARGETS, "pod/Shop");
        assertEquals(
            List.of("Shop  (pod, the last one)", "api  (deployment)", "api-1/container/web  (pod)", "No target"),
            shown(picker, "", ""));
        assertEquals("pod/Shop", picker.rows("", "").get(0).target());
        assertEquals("targetless", picker.rows("", "").get(3).target());
    }

    @Test
    void rowsAreOfAKindAndOfAFilter() {
        Picker picker = new Picker(TARGETS, null);
        assertEquals(List.of("deployment", "pod"), picker.kinds());
        assertEquals(List.of("api-1/container/web  (pod)", "Shop  (pod)", "No target"), shown(picker, "pod", ""));
        assertEquals(List.of("Shop  (pod)"), shown(picker, "", " sHO "));
        assertEquals(List.of(), shown(picker, "deployment", "shop"));
    }

    @Test
    void theNamespaceIsFirstAmongAll() {
        assertEquals(List.of("n", "m"), new Picker(TARGETS, null).namespaces());
        assertEquals(List.of("o"), new Picker(new Targets(List.of(), "o", List.of()), null).namespaces());
    }
}
