// What mirrord could not do, in its own words.

package mirrord.editor;

/** A failure that mirrord, or this plugin, has explained: what happened, and what to do ("" if unknown). */
public final class MirrordFailure extends Exception {
    private static final long serialVersionUID = 1;
    private final String help;

    public MirrordFailure(String message, String help) {
        super(message);
        this.help = help;
    }

    public String help() {
        return help;
    }

    /** The user has given it up: nothing needs to be shown. */
    static MirrordFailure cancelled() {
        return new MirrordFailure("Cancelled", "");
    }

    public boolean isCancelled() {
        return getMessage().equals("Cancelled");
    }

    /** Both, as one text for a notification. */
    public String text() {
        return help.isEmpty() ? getMessage() : getMessage() + "\n" + help;
    }
}
