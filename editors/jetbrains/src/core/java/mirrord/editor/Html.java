// Text for places where the IDE reads HTML: what mirrord says may hold names that a target or an API server
// chose.

package mirrord.editor;

import javax.swing.JComponent;

public final class Html {
    /** Swing's own switch, read by JLabel. */
    private static final String DISABLED = "html.disable";

    private Html() {}

    /** The text as it is to be read, with its lines. */
    public static String of(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>");
    }

    /** What `renderer` shows is text, whatever it begins with. */
    static void disable(Object renderer) {
        if (renderer instanceof JComponent component) component.putClientProperty(DISABLED, true);
    }
}
