// The program mirrord, as this plugin runs it: the contract of docs/editors.md. Nothing here knows the IDE.

package mirrord.editor;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * `folder` is the project's: a configuration file of its own lies there. `variables` are all that mirrord
 * gets, but for those that say that an IDE calls.
 */
public record Mirrord(String path, Path folder, Map<String, String> variables) {
    /** Ports that the IDE's own debuggers take (upstream's extension says the same). */
    private static final String DEBUGGER_PORTS = "35000-65535";
    private static final String INSTALL =
        "Install mirrord, or name its file: mirrord's menu in the toolbar, \"Program\".";

    /** What is asked of `mirrord ext`; null: it is for the configuration or mirrord itself to say. */
    public record Order(Path configFile, String target, String namespace, String executable) {}

    /**
     * The program in `setting`, otherwise on the PATH of `variables`, otherwise where installers put it: an
     * IDE that a desktop started may have a shorter PATH than the user's shell.
     */
    public static String find(String setting, Map<String, String> variables) throws MirrordFailure {
        if (setting != null && !setting.isBlank()) {
            if (isProgram(Path.of(setting))) return setting;
            throw new MirrordFailure("Cannot run \"" + setting + "\": it is no program", INSTALL);
        }
        List<String> places = new ArrayList<>(List.of(variables.getOrDefault("PATH", "").split(":")));
        if (variables.containsKey("HOME")) places.add(variables.get("HOME") + "/.local/bin");
        places.addAll(List.of("/usr/local/bin", "/opt/homebrew/bin"));
        for (String place : places) {
            Path file = Path.of(place, "mirrord");
            if (!place.isEmpty() && isProgram(file)) return file.toString();
        }
        String state = "it is not installed where programs are looked for";
        throw new MirrordFailure("Cannot run \"mirrord\": " + state, INSTALL);
    }

    /** The version, as X.Y.Z. */
    public String version() throws MirrordFailure {
        String[] words = output(List.of("--version"), () -> false).strip().split("\\s+");
        if (words.length == 2 && words[0].equals("mirrord")) return words[1];
        throw new MirrordFailure("Cannot use \"" + path + "\": it is not mirrord", INSTALL);
    }

    public Verdict verify(Path configFile, BooleanSupplier isCancelled) throws MirrordFailure {
        List<String> words = List.of("verify-config", "--ide", configFile.toString());
        JsonObject found = object(output(words, isCancelled));
        if (!"Success".equals(Lines.text(found, "type"))) {
            return new Verdict(Lines.strings(found.getAsJsonArray("errors")), List.of(), false);
        }
        JsonElement target = found.getAsJsonObject("config").get("path");
        boolean hasTarget = target != null && !target.isJsonNull();
        return new Verdict(List.of(), Lines.strings(found.getAsJsonArray("warnings")), hasTarget);
    }

    /** The targets of `namespace`; null: the configuration's or the context's. */
    public Targets list(Path configFile, String namespace, BooleanSupplier isCancelled)
            throws MirrordFailure {
        List<String> words = new ArrayList<>(List.of("ls"));
        if (configFile != null) words.addAll(List.of("-f", configFile.toString()));
        if (namespace != null) words.addAll(List.of("-n", namespace));
        JsonObject found = object(output(words, isCancelled));
        List<Targets.Target> all = new ArrayList<>();
        for (JsonElement one : found.getAsJsonArray("targets")) {
            JsonObject target = one.getAsJsonObject();
            all.add(new Targets.Target(Lines.text(target, "path"), target.get("available").getAsBoolean()));
        }
        JsonArray namespaces = found.getAsJsonArray("namespaces");
        return new Targets(all, Lines.text(found, "current_namespace"), Lines.strings(namespaces));
    }

    /** Opens a session for programs of `kind`, and returns when it is ready. */
    public Session open(Order order, Kind kind, Listener listener, BooleanSupplier isCancelled)
            throws MirrordFailure {
        List<String> words = new ArrayList<>(List.of("ext"));
        if (order.target() != null) words.addAll(List.of("-t", order.target()));
        if (order.configFile() != null) words.addAll(List.of("-f", order.configFile().toString()));
        if (order.executable() != null) words.addAll(List.of("-e", order.executable()));
        Map<String, String> more = new LinkedHashMap<>(kind.variables());
        more.put("MIRRORD_IGNORE_DEBUGGER_PORTS", DEBUGGER_PORTS);
        more.keySet().removeAll(variables.keySet()); // what the user has set is the user's
        if (order.namespace() != null) more.put("MIRRORD_TARGET_NAMESPACE", order.namespace());
        return Session.open(start(words, more), listener, isCancelled);
    }

    private String output(List<String> words, BooleanSupplier isCancelled) throws MirrordFailure {
        List<String> lines = new ArrayList<>();
        Running running = new Running(start(words, Map.of()), lines::add);
        MirrordFailure failure = running.awaitEnd(isCancelled);
        if (failure != null) throw failure;
        return String.join("\n", lines);
    }

    private Process start(List<String> words, Map<String, String> more) throws MirrordFailure {
        List<String> argv = new ArrayList<>(List.of(path));
        argv.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(argv);
        if (folder != null) builder.directory(folder.toFile());
        Map<String, String> all = builder.environment();
        all.clear();
        all.putAll(variables);
        all.putAll(more);
        all.put("MIRRORD_PROGRESS_MODE", "json");
        all.put("MIRRORD_PROGRESS_SUPPORT_IDE", "true");
        all.put("MIRRORD_LS_RICH_OUTPUT", "true");
        all.put("MIRRORD_EXT_PRINT_CONFIG", "true");
        all.put("MIRRORD_IDE_NAME", "intellij");
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        try {
            return builder.start();
        } catch (IOException cause) {
            throw new MirrordFailure("Cannot run \"" + path + "\": " + cause.getMessage(), INSTALL);
        }
    }

    private static boolean isProgram(Path file) {
        return Files.isExecutable(file) && !Files.isDirectory(file);
    }

    private JsonObject object(String text) throws MirrordFailure {
        try {
            return JsonParser.parseString(text).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException notJson) {
            throw new MirrordFailure("Cannot use \"" + path + "\": its answer is no JSON object", INSTALL);
        }
    }
}
