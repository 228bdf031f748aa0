// What mirrord lists of a namespace.

package mirrord.editor;

import java.util.List;

/** Targets that can be chosen, the namespace they are in, and all others that may be listed. */
public record Targets(List<Target> all, String namespace, List<String> namespaces) {
    /** `path` is what `mirrord ext -t` takes; one that is not available takes no session now. */
    public record Target(String path, boolean isAvailable) {}
}
