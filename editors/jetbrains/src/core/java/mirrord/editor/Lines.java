// The lines of `mirrord ext`: one JSON object each (docs/editors.md). What this plugin does not know it
// skips, so that a newer mirrord can say more.

package mirrord.editor;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads them. */
final class Lines {
    private static final String TASK = "mirrord preparing to launch";
    private static final Pattern ERROR = Pattern.compile("^Error: (\\{.*\\})$", Pattern.MULTILINE);

    private Lines() {}

    /** Tells `listener` what a line says; the final one carries the launch, all others null. */
    static Launch read(String text, Listener listener) {
        JsonObject line;
        try {
            line = JsonParser.parseString(text).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException notJson) {
            listener.info(text);
            return null;
        }
        String message = text(line, "message");
        switch (String.valueOf(text(line, "type"))) {
            case "NewTask" -> {
                if (!TASK.equals(text(line, "name"))) listener.step(text(line, "name"));
            }
            case "FinishedTask" -> {
                if (message == null || !line.has("success") || !line.get("success").getAsBoolean()) break;
                if (TASK.equals(text(line, "name"))) return launch(message);
                listener.info(message);
            }
            case "Info" -> listener.info(message);
            case "Warning" -> listener.warning(message, null);
            case "IdeMessage" -> ideMessage(line.getAsJsonObject("message"), listener);
            default -> {
                // An event of the session (docs/events.md), or a kind of line that came later.
            }
        }
        return null;
    }

    /** The failure that standard error tells: its line `Error: {json}`, otherwise all of it. */
    static MirrordFailure failure(String errors, int code) {
        Matcher line = ERROR.matcher(errors);
        if (line.find()) {
            try {
                JsonObject error = JsonParser.parseString(line.group(1)).getAsJsonObject();
                List<String> parts = new ArrayList<>(List.of(String.valueOf(text(error, "message"))));
                parts.addAll(strings(error.getAsJsonArray("causes")));
                String help = text(error, "help");
                return new MirrordFailure(String.join(": ", parts), help == null ? "" : help);
            } catch (JsonParseException | ClassCastException other) {
                // Another program's line, which is shown as it is.
            }
        }
        String all = errors.strip();
        return new MirrordFailure(all.isEmpty() ? "mirrord ended with code " + code : all, "");
    }

    private static Launch launch(String json) {
        JsonObject all = JsonParser.parseString(json).getAsJsonObject();
        Map<String, String> environment = new LinkedHashMap<>();
        all.getAsJsonObject("environment").entrySet()
            .forEach(entry -> environment.put(entry.getKey(), entry.getValue().getAsString()));
        List<String> unset = strings(all.getAsJsonArray("env_to_unset"));
        return new Launch(environment, unset, text(all, "patched_path"));
    }

    private static void ideMessage(JsonObject message, Listener listener) {
        JsonArray actions = message.getAsJsonArray("actions");
        Listener.Button button = null;
        if (actions != null && !actions.isEmpty()) {
            JsonObject first = actions.get(0).getAsJsonObject();
            button = new Listener.Button(text(first, "label"), text(first, "link"));
        }
        listener.warning(text(message, "text"), button);
    }

    /** A field that is a string; null where it is null, lacks or is none. */
    static String text(JsonObject object, String name) {
        JsonElement value = object.get(name);
        return value != null && value.isJsonPrimitive() ? value.getAsString() : null;
    }

    /** None for null. */
    static List<String> strings(JsonArray array) {
        List<String> found = new ArrayList<>();
        if (array != null) array.forEach(one -> found.add(one.getAsString()));
        return found;
    }
}
