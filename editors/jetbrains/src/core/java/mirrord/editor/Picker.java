// What the target dialog offers, in which order. Nothing here knows the IDE.

package mirrord.editor;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** One for each namespace. */
public final class Picker {
    /** What runs with the cluster's network and names, and no pod's. */
    public static final String TARGETLESS = "targetless";

    /** A line: `title` is what is shown first, `target` what mirrord is given. */
    public record Row(String title, String kind, String target, boolean isLast) {
        @Override
        public String toString() {
            return kind.isEmpty() ? title : title + "  (" + kind + (isLast ? ", the last one)" : ")");
        }
    }

    private final Targets targets;
    private final String last;

    /** `last` is the target that was chosen before, or null. */
    public Picker(Targets targets, String last) {
        this.targets = targets;
        this.last = last;
    }

    /** Kinds of targets that there are, in mirrord's order. */
    public List<String> kinds() {
        Set<String> kinds = new LinkedHashSet<>();
        for (Targets.Target target : targets.all()) {
            if (target.isAvailable()) kinds.add(kindOf(target.path()));
        }
        return List.copyOf(kinds);
    }

    /**
     * The last target, then all that take a session now in mirrord's order, then none; of `kind` and with
     * `filter` in their paths, where these are not empty.
     */
    public List<Row> rows(String kind, String filter) {
        List<Row> rows = new ArrayList<>();
        String wanted = filter.strip().toLowerCase(Locale.ROOT);
        for (Targets.Target target : targets.all()) {
            String path = target.path();
            if (!target.isAvailable() || !kind.isEmpty() && !kindOf(path).equals(kind)) continue;
            if (!path.toLowerCase(Locale.ROOT).contains(wanted)) continue;
            boolean isLast = path.equals(last);
            Row row = new Row(path.substring(path.indexOf('/') + 1), kindOf(path), path, isLast);
            rows.add(isLast ? 0 : rows.size(), row);
        }
        if (wanted.isEmpty()) rows.add(new Row("No target", "", TARGETLESS, TARGETLESS.equals(last)));
        return rows;
    }

    public String namespace() {
        return targets.namespace();
    }

    /** All that can be switched to, this one first. */
    public List<String> namespaces() {
        Set<String> all = new LinkedHashSet<>();
        if (targets.namespace() != null) all.add(targets.namespace());
        all.addAll(targets.namespaces());
        return List.copyOf(all);
    }

    private static String kindOf(String path) {
        int slash = path.indexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }
}
