// The variables that a run configuration has of its own, and the ones that it is lent for a start.

package mirrord.editor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Each kind of configuration keeps them somewhere else. */
public final class Variables {
    private static final List<String[]> PLACES = List.of(
        new String[] {"getEnvs"}, // Java, Python, Ruby, Node.js
        new String[] {"getCustomEnvironment"}, // Go
        new String[] {"getSettings", "getEnv"}, // Gradle
        new String[] {"getRunnerSettings", "getEnvironmentProperties"}, // Maven
        new String[] {"getEnvData", "getEnvs"}, // Node.js
        new String[] {"getRunSettings", "getEnvData", "getEnvs"}, // npm
        new String[] {"getParameters", "getEnvs"}); // .NET

    /** How the platform calls this machine where another one is the project's usual target: @@@LOCAL@@@. */
    private static final String THIS_MACHINE = "@@@";

    private Variables() {}

    /** Those that the user has set in the configuration. */
    public static Map<String, String> of(Object configuration) {
        for (String[] place : PLACES) {
            Object found = Reach.get(configuration, place);
            if (found instanceof Map<?, ?>) return strings(found);
        }
        return new LinkedHashMap<>();
    }

    /**
     * The name of the machine that the configuration runs on (Docker, SSH, WSL: the IDE's "targets"); null:
     * this one.
     */
    public static String otherMachine(Object configuration) {
        Object name = Reach.get(configuration, "getDefaultTargetName");
        if (!(name instanceof String text) || text.isBlank()) return null;
        return text.startsWith(THIS_MACHINE) ? null : text;
    }

    /**
     * Puts the launch's variables into the configuration itself, for kinds that have no other way; run what
     * is returned as soon as the program has started: the IDE writes configurations to the project's files.
     * Null: this configuration takes none.
     */
    static Runnable lend(Object configuration, Launch launch) {
        Map<String, String> lent = launch.over(of(configuration));
        Object gradle = Reach.get(configuration, "getSettings");
        if (gradle != null) return put(gradle, "getEnv", "setEnv", lent);
        Object maven = Reach.get(configuration, "getRunnerSettings");
        if (maven != null) return put(maven, "getEnvironmentProperties", "setEnvironmentProperties", lent);
        Object copy = Reach.get(projectWide(configuration), "clone");
        if (copy == null) return null;
        Map<String, String> wide = strings(Reach.get(copy, "getEnvironmentProperties"));
        if (!Reach.set(copy, "setEnvironmentProperties", launch.over(wide))) return null;
        return Reach.set(configuration, "setRunnerSettings", copy)
            ? () -> Reach.set(configuration, "setRunnerSettings", null)
            : null;
    }

    /** Maven's settings of the whole project, which a configuration without settings of its own runs with. */
    private static Object projectWide(Object configuration) {
        Object project = Reach.get(configuration, "getProject");
        Object runner = Reach.callStatic(configuration, "MavenRunner", "getInstance", project);
        return Reach.get(runner, "getSettings");
    }

    private static Map<String, String> strings(Object map) {
        Map<String, String> found = new LinkedHashMap<>();
        if (map instanceof Map<?, ?> any) {
            any.forEach((name, value) -> found.put(String.valueOf(name), String.valueOf(value)));
        }
        return found;
    }

    private static Runnable put(Object holder, String getter, String setter, Map<String, String> lent) {
        Object before = Reach.get(holder, getter);
        if (!Reach.set(holder, setter, lent)) return null;
        return () -> Reach.set(holder, setter, before);
    }
}
