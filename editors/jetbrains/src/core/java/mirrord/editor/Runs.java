// The programs that a project's IDE starts: which of them run in a session, from the moment before the start
// to the end. The edge calls it with what the IDE tells of each start, and an object that stands for it.

package mirrord.editor;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** One for each project. A session belongs to one start, and ends with it. */
public final class Runs {
    private static final String OWN_SWITCH = "MIRRORD_ACTIVE";
    private static final String OWN_CONFIG = "MIRRORD_CONFIG_FILE";
    private static final String OWN_TARGET = "MIRRORD_IMPERSONATED_TARGET";

    private final Path folder;
    private final Supplier<Map<String, String>> environment;
    private final Memory memory;
    private final Desk desk;
    private final Map<Object, Run> runs = new LinkedHashMap<>();

    /** `environment` gives the user's variables, as a shell of theirs has them. */
    public Runs(Path folder, Supplier<Map<String, String>> environment, Memory memory, Desk desk) {
        this.folder = folder;
        this.environment = environment;
        this.memory = memory;
        this.desk = desk;
    }

    /** One start of a program. */
    private static final class Run {
        final Object configuration;
        final Kind kind;
        Session session;
        MirrordFailure failure;
        Runnable giveBack;
        boolean isTaken;
        boolean hasStarted;

        Run(Object configuration, Kind kind) {
            this.configuration = configuration;
            this.kind = kind;
        }
    }

    public boolean isOn() {
        return "true".equals(memory.get(Memory.ON));
    }

    public void turn(boolean isOn) {
        memory.set(Memory.ON, isOn ? "true" : null);
    }

    /** The IDE is about to start a program: opens its session, if it is one that has such. */
    public void starting(Object start, Object configuration) {
        Map<String, String> own = Variables.of(configuration);
        String said = own.get(OWN_SWITCH);
        if (!(said == null ? isOn() : said.equals("1")) || Kind.isAttach(configuration)) return;
        Kind kind = Kind.of(configuration);
        if (kind == null) {
            desk.info("mirrord is not used: this run configuration builds, or is of a kind it does not know");
            return;
        }
        String machine = Variables.otherMachine(configuration);
        if (machine != null) {
            desk.warning("The program has nothing of the pod: it runs on \"" + machine + "\"", null);
            return;
        }
        Run run = new Run(configuration, kind);
        put(start, run);
        try {
            run.session = open(own, kind, configuration);
            if (!isThere(start)) { // the project was closed meanwhile
                run.session.end();
                return;
            }
            if (kind.isBorrowed()) {
                run.giveBack = Variables.lend(configuration, run.session.launch());
                run.isTaken = run.giveBack != null;
            }
            run.session.ended().thenAccept(lost -> {
                if (lost != null && isThere(start)) desk.error(lost);
            });
        } catch (MirrordFailure failure) {
            run.failure = failure;
            if (!failure.isCancelled()) desk.error(failure);
        }
    }

    /**
     * What the program is to be started by, asked by the IDE's extension for its kind. Null: it has no
     * session. `configuration` is null where the extension does not learn it. Throws where the session
     * failed: the program must not start, it would run outside the pod.
     */
    public synchronized Launch take(Object configuration, Kind kind) throws MirrordFailure {
        Run found = null;
        for (Run run : runs.values()) {
            if (run.hasStarted || run.kind != kind) continue;
            if (found == null || run.configuration == configuration) found = run;
        }
        if (found == null) return null;
        if (found.failure != null) throw found.failure;
        if (found.session == null) return null;
        found.isTaken = true;
        return found.session.launch();
    }

    /** The program has started; `stop` ends it. */
    public void started(Object start, Runnable stop) {
        Run run = get(start);
        if (run == null) return;
        giveBack(run);
        run.hasStarted = true;
        if (run.failure != null) {
            stop.run(); // nothing of its kind could keep it from starting
            ended(start);
        } else if (!run.isTaken) {
            desk.warning("The program runs outside the pod: the IDE gave it none of the variables", null);
            ended(start);
        }
    }

    /** The program has ended, or was not started after all. */
    public void ended(Object start) {
        Run run;
        synchronized (this) {
            run = runs.remove(start);
        }
        if (run == null) return;
        giveBack(run);
        if (run.session != null) run.session.end();
    }

    /** Ends every session: the project is closed. */
    public void close() {
        Object[] starts;
        synchronized (this) {
            starts = runs.keySet().toArray();
        }
        for (Object start : starts) ended(start);
    }

    /** Lets the user choose a target now, for the next starts. */
    public void chooseTarget() {
        try {
            Mirrord mirrord = mirrord(Map.of());
            Desk.Choice choice = choose(mirrord, configFile(Map.of()));
            if (choice != null) keep(choice);
        } catch (MirrordFailure failure) {
            if (!failure.isCancelled()) desk.error(failure);
        }
    }

    /** The configuration file for the editor, a new one if there is none; null: the project has no folder. */
    public Path configToOpen() {
        try {
            Path file = configFile(Map.of());
            return file == null && folder != null ? ConfigFiles.create(folder) : file;
        } catch (MirrordFailure failure) {
            desk.error(failure);
            return null;
        }
    }

    private Session open(Map<String, String> own, Kind kind, Object configuration) throws MirrordFailure {
        Mirrord mirrord = mirrord(own);
        Path configFile = configFile(own);
        boolean hasTarget = own.containsKey(OWN_TARGET);
        if (configFile != null) {
            Verdict verdict = desk.busy("mirrord", progress -> mirrord.verify(configFile, progress));
            String errors = String.join("\n", verdict.errors());
            if (!errors.isEmpty()) throw new MirrordFailure(errors, "");
            hasTarget |= verdict.hasTarget();
        }
        Desk.Choice choice = hasTarget ? null : target(mirrord, configFile);
        Mirrord.Order order = new Mirrord.Order(
            configFile,
            choice == null ? null : choice.target(),
            choice == null ? null : choice.namespace(),
            kind.executable(configuration));
        return desk.busy("mirrord", progress -> mirrord.open(order, kind, listener(progress), progress));
    }

    private Listener listener(Desk.Progress progress) {
        return new Listener() {
            @Override
            public void step(String text) {
                progress.step(text);
            }

            @Override
            public void info(String text) {
                desk.info(text);
            }

            @Override
            public void warning(String text, Button button) {
                desk.warning(text, button);
            }
        };
    }

    private Desk.Choice target(Mirrord mirrord, Path configFile) throws MirrordFailure {
        String kept = memory.get(Memory.TARGET);
        if (kept != null) return new Desk.Choice(kept, memory.get(Memory.NAMESPACE), true);
        Desk.Choice choice = choose(mirrord, configFile);
        if (choice == null) throw MirrordFailure.cancelled();
        if (choice.isKept()) keep(choice);
        return choice;
    }

    private Desk.Choice choose(Mirrord mirrord, Path configFile) throws MirrordFailure {
        String last = memory.get(Memory.LAST);
        Desk.Other other = namespace -> desk.busy(
            "mirrord: targets", progress -> new Picker(mirrord.list(configFile, namespace, progress), last));
        Desk.Choice choice = desk.choose(other.in(null), other);
        if (choice != null) memory.set(Memory.LAST, choice.target());
        return choice;
    }

    private void keep(Desk.Choice choice) {
        memory.set(Memory.TARGET, choice.target());
        memory.set(Memory.NAMESPACE, choice.namespace());
    }

    private Mirrord mirrord(Map<String, String> own) throws MirrordFailure {
        Map<String, String> all = new LinkedHashMap<>(environment.get());
        all.putAll(own);
        return new Mirrord(Mirrord.find(memory.get(Memory.PROGRAM), all), folder, all);
    }

    /** The configuration's own file, the one that was chosen, the usual one; null: none of them. */
    private Path configFile(Map<String, String> own) {
        String named = own.getOrDefault(OWN_CONFIG, memory.get(Memory.CONFIG));
        if (named == null) return ConfigFiles.usual(folder);
        return folder == null ? Path.of(named) : folder.resolve(named);
    }

    private static void giveBack(Run run) {
        Runnable giveBack = run.giveBack;
        run.giveBack = null;
        if (giveBack != null) giveBack.run();
    }

    private synchronized void put(Object start, Run run) {
        runs.put(start, run);
    }

    private synchronized Run get(Object start) {
        return runs.get(start);
    }

    private synchronized boolean isThere(Object start) {
        return runs.containsKey(start);
    }
}
