// Which run configurations run in a session, and what mirrord is told of each kind.

package mirrord.editor;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A kind is recognised by the names of types alone, or by how they begin: an IDE has the types of its own
 * languages only.
 */
public enum Kind {
    GRADLE("javaagent",
        "com.intellij.openapi.externalSystem.service.execution.ExternalSystemRunConfiguration"),
    MAVEN("javaagent", "org.jetbrains.idea.maven.execution.MavenRunConfiguration"),
    JAVA("javaagent", "com.intellij.execution.CommonJavaRunConfigurationParameters"),
    PYTHON("pydevd", "com.jetbrains.python.run.AbstractPythonRunConfiguration"),
    GO(null, "com.goide.execution.GoRunConfigurationBase"),
    NODE("nodeinspector", "com.intellij.javascript.nodejs.execution.AbstractNodeTargetRunProfile"),
    RUBY(null, "org.jetbrains.plugins.ruby.ruby.run.configuration.AbstractRubyRunConfiguration"),
    DOTNET("resharper", "com.jetbrains.rider.run.configurations.");

    /** What attaches to a program that runs already, where it runs. */
    private static final String ATTACHES = "com.intellij.execution.configurations.RemoteRunProfile";
    private static final Pattern ATTACH_NAME = Pattern.compile("Attach|RemoteDebug|\\.remote\\.");
    /** Tasks and goals that start no program of the developer's; the IDE's own build consists of such. */
    private static final Pattern BUILD_ONLY = Pattern.compile(
        "clean|assemble|classes|testClasses|jar|war|bootJar|bootWar|(dist|install)\\w*|compile\\w*|"
            + "process\\w*|generate\\w*|javadoc|dependencies|tasks|help|projects|wrapper|publish\\w*|"
            + "validate|initialize|package|deploy|site|test-compile|dependency:.*");

    private final String debugger;
    private final String type;

    Kind(String debugger, String type) {
        this.debugger = debugger;
        this.type = type;
    }

    /** The kind of a run configuration; null: it runs on this machine alone, whatever the switch says. */
    public static Kind of(Object configuration) {
        Set<String> types = typesOf(configuration.getClass());
        if (isAttach(configuration)) return null;
        for (Kind kind : values()) {
            if (types.stream().anyMatch(kind::isType) && !kind.isBuildOnly(configuration)) return kind;
        }
        return null;
    }

    /** Does it attach a debugger to what runs already? */
    public static boolean isAttach(Object configuration) {
        return typesOf(configuration.getClass()).contains(ATTACHES)
            || ATTACH_NAME.matcher(configuration.getClass().getName()).find();
    }

    /** Variables of `mirrord ext` for programs of this kind (docs/editors.md). */
    public Map<String, String> variables() {
        // GoLand starts the program by way of these, which need nothing of the pod.
        if (this == GO) return Map.of("MIRRORD_SKIP_PROCESSES", "dlv;debugserver;go");
        return debugger == null ? Map.of() : Map.of("MIRRORD_DETECT_DEBUGGER_PORT", debugger);
    }

    /**
     * What mirrord looks at before it begins (`mirrord ext -e`): a Go package that would be built as a static
     * program is refused. Null: there is nothing to look at, or it is not known where it lies.
     */
    String executable(Object configuration) {
        if (this != GO) return null;
        String kind = String.valueOf(Reach.get(configuration, "getKind"));
        Object place = Reach.get(configuration, kind.equals("FILE") ? "getFilePaths" : "getDirectoryPath");
        if (place instanceof List<?> files) place = files.isEmpty() ? null : files.get(0);
        return kind.equals("PACKAGE") || place == null ? null : place.toString();
    }

    private boolean isType(String name) {
        return type.endsWith(".") ? name.startsWith(type) : name.equals(type);
    }

    /** Has the IDE no other way to give variables than the configuration itself? */
    boolean isBorrowed() {
        return this == GRADLE || this == MAVEN;
    }

    private boolean isBuildOnly(Object configuration) {
        Object tasks = switch (this) {
            case GRADLE -> Reach.get(configuration, "getSettings", "getTaskNames");
            case MAVEN -> Reach.get(configuration, "getRunnerParameters", "getGoals");
            default -> null;
        };
        if (!(tasks instanceof Iterable<?> all)) return false;
        List<String> names = new ArrayList<>();
        for (Object one : all) {
            String task = String.valueOf(one);
            if (!task.startsWith("-")) names.add(this == GRADLE ? task.replaceFirst("^.*:", "") : task);
        }
        return names.stream().allMatch(name -> BUILD_ONLY.matcher(name).matches());
    }

    /** Names of the class, of what it extends and of what it implements. */
    private static Set<String> typesOf(Class<?> from) {
        Set<String> names = new LinkedHashSet<>();
        for (Class<?> type = from; type != null; type = type.getSuperclass()) {
            names.add(type.getName());
            for (Class<?> one : type.getInterfaces()) names.addAll(typesOf(one));
        }
        return names;
    }
}
