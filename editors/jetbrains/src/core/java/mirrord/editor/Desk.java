// What the session's logic asks of the user and shows to them: the IDE answers.

package mirrord.editor;

import java.util.function.BooleanSupplier;

/** Called by the thread on which the IDE starts programs. */
public interface Desk {
    /** Work that may take seconds. */
    interface Work<T> {
        T run(Progress progress) throws MirrordFailure;
    }

    /** Shows what work does; `isCancelled` tells that the user gives it up. */
    interface Progress extends BooleanSupplier {
        void step(String text);
    }

    /** Asks mirrord for the targets of another namespace. */
    interface Other {
        Picker in(String namespace) throws MirrordFailure;
    }

    /** `isKept`: it is used from now on without asking. */
    record Choice(String target, String namespace, boolean isKept) {}

    /** Runs `work` while the user sees `title` and may cancel. */
    <T> T busy(String title, Work<T> work) throws MirrordFailure;

    /** Lets the user choose; null: the dialog was closed. */
    Choice choose(Picker picker, Other other);

    void info(String text);

    /** `button` is null for most. */
    void warning(String text, Listener.Button button);

    void error(MirrordFailure failure);
}
