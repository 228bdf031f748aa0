// What a program is started by, and how that goes together with the variables it would have had.

package mirrord.editor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The final line of `mirrord ext` (docs/editors.md); `patchedPath` is null where the program itself runs. */
public record Launch(Map<String, String> environment, List<String> unset, String patchedPath) {
    /** Variables of a process that is about to start, and whether it has those of the IDE besides. */
    public record Merged(Map<String, String> variables, boolean hasParent) {}

    /** The same for a program that has no other variables than `own`. */
    public Map<String, String> over(Map<String, String> own) {
        Map<String, String> merged = new LinkedHashMap<>(own);
        unset.forEach(merged::remove);
        merged.putAll(environment);
        return merged;
    }

    /**
     * What the program gets that would have had `own`, and if `hasParent` those of `parent`, the IDE. A
     * variable of the IDE can only be taken away by giving all the others as the program's own.
     */
    public Merged merge(Map<String, String> own, boolean hasParent, Map<String, String> parent) {
        boolean inherits =
            unset.stream().anyMatch(name -> parent.containsKey(name) && !environment.containsKey(name));
        if (!hasParent || !inherits) return new Merged(over(own), hasParent);
        Map<String, String> all = new LinkedHashMap<>(parent);
        all.putAll(own);
        return new Merged(over(all), false);
    }
}
