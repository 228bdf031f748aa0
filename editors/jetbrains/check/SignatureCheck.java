// Compares the stubs with the IDE's own sources: every type and member of a stub must be declared there with
// the same parameters, result and modifiers. Run by tests/editors/jetbrains_test.ts:
//   java SignatureCheck.java STUBS SOURCES NEWER
// NEWER lists what those sources do not have. Prints what differs, and last what was compared.

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.TypeParameterTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

public final class SignatureCheck {
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
    /** Modifiers that are part of what a caller or a subclass sees. */
    private static final Set<Modifier> SEEN =
        Set.of(Modifier.PUBLIC, Modifier.PROTECTED, Modifier.STATIC, Modifier.ABSTRACT);

    private final Map<String, Path> sources;
    private final Set<String> newer;
    private final Set<String> newerSeen = new TreeSet<>();
    private final List<String> problems = new ArrayList<>();
    private int types;
    private int members;

    private SignatureCheck(Map<String, Path> sources, Set<String> newer) {
        this.sources = sources;
        this.newer = newer;
    }

    public static void main(String[] arguments) throws IOException {
        Set<String> newer = Files.readAllLines(Path.of(arguments[2])).stream()
            .map(line -> line.replaceFirst("#{2}.*", "").strip()).filter(line -> !line.isEmpty())
            .collect(Collectors.toCollection(TreeSet::new));
        SignatureCheck check = new SignatureCheck(javaFiles(Path.of(arguments[1])), newer);
        for (Map.Entry<String, Path> stub : new java.util.TreeMap<>(javaFiles(Path.of(arguments[0]))).entrySet()) {
            check.compare(stub.getKey(), stub.getValue());
        }
        newer.stream().filter(name -> !check.newerSeen.contains(name))
            .forEach(name -> check.problems.add(name + " is listed as newer, but nothing of it was missing"));
        check.problems.forEach(System.out::println);
        System.out.println(check.types + " types, " + check.members + " members compared");
        System.exit(check.problems.isEmpty() ? 0 : 1);
    }

    /** "com.intellij.X" -> its file. */
    private static Map<String, Path> javaFiles(Path root) throws IOException {
        Map<String, Path> found = new HashMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : (Iterable<Path>) all.filter(one -> one.toString().endsWith(".java"))::iterator) {
                String name = path.toString().replaceFirst("\\.java$", "").replace('/', '.');
                int from = name.replaceFirst("^.*?\\.(src|platform|rider)\\.(?=(com|org)\\.)", "").length();
                String type = name.substring(name.length() - from);
                if (!path.toString().matches(".*/(test|tests|testSrc|testFramework|testData)/.*")) {
                    found.putIfAbsent(type, path);
                }
            }
        }
        return found;
    }

    private static CompilationUnitTree parse(Path file) throws IOException {
        try (StandardJavaFileManager files = COMPILER.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) COMPILER.getTask(
                null, files, problem -> {}, List.of("-proc:none"), null, files.getJavaFileObjects(file));
            return task.parse().iterator().next();
        }
    }

    private void compare(String name, Path file) throws IOException {
        ClassTree stub = (ClassTree) parse(file).getTypeDecls().get(0);
        Path source = sources.get(name);
        if (source == null) {
            if (newer.contains(name)) newerSeen.add(name);
            else problems.add(name + " is not in the sources");
            return;
        }
        CompilationUnitTree unit = parse(source);
        for (Tree type : unit.getTypeDecls()) {
            if (type instanceof ClassTree own && own.getSimpleName().contentEquals(stub.getSimpleName())) {
                compareType(name, stub, own);
                for (String above : supertypes(stub)) {
                    if (!allAbove(unit, own, new LinkedHashSet<>()).contains(above)) {
                        problems.add(name + " does not extend or implement " + above);
                    }
                }
                return;
            }
        }
        problems.add(name + " is not declared in its source");
    }

    private void compareType(String name, ClassTree stub, ClassTree source) {
        types++;
        if (stub.getKind() != source.getKind()) problems.add(name + " is a " + source.getKind());
        boolean isInterface = source.getKind() == Tree.Kind.INTERFACE;
        boolean isClass = source.getKind() == Tree.Kind.CLASS;
        if (isClass && !seen(stub.getModifiers().getFlags()).equals(seen(source.getModifiers().getFlags()))) {
            problems.add(name + " has the modifiers " + source.getModifiers().getFlags());
        }
        boolean isFinal = source.getModifiers().getFlags().contains(Modifier.FINAL);
        if (isFinal && !stub.getModifiers().getFlags().contains(Modifier.FINAL)) problems.add(name + " is final");
        if (stub.getTypeParameters().size() != source.getTypeParameters().size()) {
            problems.add(name + " has other type parameters");
        }
        for (Tree member : stub.getMembers()) {
            if (member instanceof MethodTree method) compareMethod(name, method, stub, source, isInterface);
            if (member instanceof VariableTree constant) compareConstant(name, constant, source);
            if (member instanceof ClassTree inner) compareInner(name, inner, source);
        }
    }

    private void compareInner(String name, ClassTree inner, ClassTree source) {
        for (Tree member : source.getMembers()) {
            if (member instanceof ClassTree own && own.getSimpleName().contentEquals(inner.getSimpleName())) {
                boolean isVisible = source.getKind() == Tree.Kind.INTERFACE
                    || own.getModifiers().getFlags().contains(Modifier.PUBLIC);
                if (!isVisible) problems.add(name + "." + inner.getSimpleName() + " is not public");
                types++;
                for (Tree one : inner.getMembers()) {
                    if (one instanceof MethodTree method) {
                        compareMethod(name + "." + inner.getSimpleName(), method, inner, own, false);
                    }
                }
                return;
            }
        }
        problems.add(name + "." + inner.getSimpleName() + " is not there");
    }

    private void compareConstant(String name, VariableTree constant, ClassTree source) {
        members++;
        boolean isThere = source.getMembers().stream().anyMatch(
            member -> member instanceof VariableTree own && own.getName().contentEquals(constant.getName()));
        if (!isThere) problems.add(name + "." + constant.getName() + " is not there");
    }

    private void compareMethod(String name, MethodTree stub, ClassTree in, ClassTree source, boolean isInterface) {
        members++;
        String wanted = signature(stub, in);
        String listed = name + "#" + stub.getName();
        List<String> others = new ArrayList<>();
        for (Tree member : source.getMembers()) {
            if (!(member instanceof MethodTree own) || !own.getName().contentEquals(stub.getName())) continue;
            String found = signature(own, source);
            if (!found.equals(wanted)) {
                others.add(found);
                continue;
            }
            Set<Modifier> seen = seen(own.getModifiers().getFlags());
            boolean isSame = isInterface
                ? (own.getBody() == null) == (stub.getBody() == null)
                : seen.equals(seen(stub.getModifiers().getFlags()));
            if (!isSame) problems.add(listed + " has the modifiers " + own.getModifiers().getFlags());
            boolean isFinal = own.getModifiers().getFlags().contains(Modifier.FINAL);
            if (isFinal && !stub.getModifiers().getFlags().contains(Modifier.FINAL)) problems.add(listed + " is final");
            return;
        }
        if (stub.getName().contentEquals("<init>") && stub.getParameters().isEmpty()) return; // javac's own
        if (newer.contains(listed)) newerSeen.add(listed);
        else problems.add(listed + " is not " + wanted + " but " + (others.isEmpty() ? "absent" : others));
    }

    private static Set<Modifier> seen(Set<Modifier> flags) {
        return flags.stream().filter(SEEN::contains).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Result, name and parameters, with the simple names of erased types: what the class file will hold. */
    private static String signature(MethodTree method, ClassTree in) {
        Map<String, String> bounds = new HashMap<>();
        addBounds(in.getTypeParameters(), bounds);
        addBounds(method.getTypeParameters(), bounds);
        String parameters = method.getParameters().stream()
            .map(parameter -> erased(parameter.getType().toString(), bounds)).collect(Collectors.joining(", "));
        Tree result = method.getReturnType();
        String before = result == null ? "" : erased(result.toString(), bounds) + " ";
        return before + method.getName() + "(" + parameters + ")";
    }

    private static void addBounds(List<? extends TypeParameterTree> parameters, Map<String, String> bounds) {
        for (TypeParameterTree one : parameters) {
            String bound = one.getBounds().isEmpty() ? "Object" : one.getBounds().get(0).toString();
            bounds.put(one.getName().toString(), erased(bound, Map.of()));
        }
    }

    private static String erased(String type, Map<String, String> bounds) {
        String plain = type.replaceAll("@\\w+(\\([^)]*\\))?\\s*", "");
        while (plain.contains("<")) plain = plain.replaceAll("<[^<>]*>", "");
        plain = plain.strip().replaceFirst("^([a-z]\\w*\\.)+(?=[A-Z])", "").replaceFirst("^.*\\.(?=\\w+$)", "");
        return bounds.getOrDefault(plain, plain);
    }

    private static List<String> supertypes(ClassTree type) {
        List<String> above = new ArrayList<>();
        if (type.getExtendsClause() != null) above.add(erased(type.getExtendsClause().toString(), Map.of()));
        type.getImplementsClause().forEach(one -> above.add(erased(one.toString(), Map.of())));
        above.removeIf(name -> name.matches("Exception|RuntimeException|EventListener")); // Java's own
        return above;
    }

    /** Simple names of all that a type of the sources extends and implements, directly or not. */
    private Set<String> allAbove(CompilationUnitTree unit, ClassTree type, Set<String> found) throws IOException {
        for (String above : supertypes(type)) {
            if (!found.add(above)) continue;
            String ownPackage = unit.getPackageName() + "." + above;
            String imported = unit.getImports().stream().map(one -> one.getQualifiedIdentifier().toString())
                .filter(one -> one.endsWith("." + above)).findFirst().orElse(ownPackage);
            Path file = sources.get(imported);
            if (file == null) continue;
            CompilationUnitTree other = parse(file);
            for (Tree one : other.getTypeDecls()) {
                if (one instanceof ClassTree own && own.getSimpleName().contentEquals(above)) {
                    allAbove(other, own, found);
                }
            }
        }
        return found;
    }
}
