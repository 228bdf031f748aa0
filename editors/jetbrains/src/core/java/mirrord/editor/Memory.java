// What is kept of a project between starts of the IDE.

package mirrord.editor;

/** A store of texts by name, the IDE's own. */
public interface Memory {
    /** The switch: "true" or null. */
    String ON = "mirrord.on";
    /** The file of mirrord's program; null: it is looked for. */
    String PROGRAM = "mirrord.program";
    /** The configuration file; null: the usual one. */
    String CONFIG = "mirrord.config";
    /** The target that is used without asking; null: the user is asked. */
    String TARGET = "mirrord.target";
    /** The namespace of `TARGET`. */
    String NAMESPACE = "mirrord.namespace";
    /** The target that was chosen last. */
    String LAST = "mirrord.last";

    String get(String name);

    /** Null removes it. */
    void set(String name, String value);
}
