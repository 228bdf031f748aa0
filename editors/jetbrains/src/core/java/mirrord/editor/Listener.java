// Hears what mirrord says while it prepares a session, and while that goes on.

package mirrord.editor;

/** Called by the thread that reads mirrord's output. */
public interface Listener {
    /** What a warning offers: a page to read. */
    record Button(String label, String link) {}

    /** A step of the start has begun. */
    void step(String text);

    void info(String text);

    /** `button` is null for most. */
    void warning(String text, Button button);
}
