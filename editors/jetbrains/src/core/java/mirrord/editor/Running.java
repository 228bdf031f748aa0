// A process of mirrord's: its output goes line by line to a listener, its end becomes a failure or none.

package mirrord.editor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Two threads read it until it has ended. */
final class Running {
    /** Most of standard error that is kept: a failure is in its last lines. */
    private static final int KEPT = 64 * 1024;
    /** How often it is asked whether the user has cancelled. */
    private static final long LOOK_MS = 100;

    private final Process process;
    private final StringBuilder errors = new StringBuilder();
    private final CompletableFuture<MirrordFailure> ended = new CompletableFuture<>();
    private volatile boolean isAsked;

    Running(Process process, Consumer<String> line) {
        this.process = process;
        Thread reader = thread("errors", () -> each(process.getErrorStream(), this::keep));
        thread("output", () -> {
            each(process.getInputStream(), line);
            finish(reader);
        });
    }

    /** Completes with the failure by which it ended, or null: in order, or as it was asked to. */
    CompletableFuture<MirrordFailure> ended() {
        return ended;
    }

    /** Asks it to end (SIGTERM): it gives the target its traffic back first. */
    void end() {
        isAsked = true;
        process.destroy();
    }

    MirrordFailure awaitEnd(BooleanSupplier isCancelled) throws MirrordFailure {
        return await(ended, isCancelled);
    }

    /** Waits for `future`. A user who cancels ends the process, and gets a failure without help. */
    <T> T await(CompletableFuture<T> future, BooleanSupplier isCancelled) throws MirrordFailure {
        while (true) {
            try {
                return future.get(LOOK_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException goesOn) {
                if (!isCancelled.getAsBoolean()) continue;
                end();
                throw MirrordFailure.cancelled();
            } catch (InterruptedException interrupted) {
                end();
                Thread.currentThread().interrupt();
                throw MirrordFailure.cancelled();
            } catch (ExecutionException failed) {
                if (failed.getCause() instanceof MirrordFailure failure) throw failure;
                throw new IllegalStateException(failed.getCause());
            }
        }
    }

    private void finish(Thread reader) {
        try {
            reader.join();
            int code = process.waitFor();
            synchronized (errors) {
                boolean isFine = code == 0 || isAsked && !errors.toString().contains("Error: {");
                ended.complete(isFine ? null : Lines.failure(errors.toString(), code));
            }
        } catch (InterruptedException neverAsked) {
            ended.complete(new MirrordFailure("Cannot hear mirrord's end: interrupted", ""));
        }
    }

    private void keep(String line) {
        synchronized (errors) {
            errors.append(line).append('\n');
            if (errors.length() > KEPT) errors.delete(0, errors.length() - KEPT);
        }
    }

    private static void each(InputStream stream, Consumer<String> line) {
        try (var reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String text = reader.readLine(); text != null; text = reader.readLine()) line.accept(text);
        } catch (IOException ended) {
            // The process has ended, and its end says why.
        }
    }

    private static Thread thread(String what, Runnable work) {
        Thread thread = new Thread(work, "mirrord " + what);
        thread.setDaemon(true); // the IDE may end meanwhile: so does mirrord
        thread.start();
        return thread;
    }
}
