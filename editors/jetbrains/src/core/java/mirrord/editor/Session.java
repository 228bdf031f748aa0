// A session of `mirrord ext`: programs may join it until it ends.

package mirrord.editor;

import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/** Lives as long as its process, which ends with the IDE too. */
public final class Session {
    private final Running running;
    private final Launch launch;

    private Session(Running running, Launch launch) {
        this.running = running;
        this.launch = launch;
    }

    /** Waits until the session that `process` opens is ready. */
    static Session open(Process process, Listener listener, BooleanSupplier isCancelled)
            throws MirrordFailure {
        CompletableFuture<Launch> ready = new CompletableFuture<>();
        Running running = new Running(process, text -> {
            Launch launch = Lines.read(text, listener);
            if (launch != null) ready.complete(launch);
        });
        running.ended().thenAccept(failure -> ready.completeExceptionally(
            failure != null ? failure : new MirrordFailure("mirrord ended before it was ready", "")));
        return new Session(running, running.await(ready, isCancelled));
    }

    public Launch launch() {
        return launch;
    }

    /** Completes with the failure by which the session was lost, or null: it was asked to end. */
    public CompletableFuture<MirrordFailure> ended() {
        return running.ended();
    }

    /** The target has its traffic back soon after; nothing is waited for. */
    public void end() {
        running.end();
    }
}
