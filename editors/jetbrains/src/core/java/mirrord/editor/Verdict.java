// What mirrord says of a configuration file.

package mirrord.editor;

import java.util.List;

/** `hasTarget`: it names one, or says that it needs none. */
public record Verdict(List<String> errors, List<String> warnings, boolean hasTarget) {}
