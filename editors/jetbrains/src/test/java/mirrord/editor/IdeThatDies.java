// An IDE that opens a session and is then killed, for tests/editors/jetbrains_test.ts: PROGRAM TARGET FOLDER.

package mirrord.editor;

import java.nio.file.Path;

public final class IdeThatDies {
    public static void main(String[] arguments) throws Exception {
        Mirrord mirrord = new Mirrord(arguments[0], Path.of(arguments[2]), System.getenv());
        Mirrord.Order order = new Mirrord.Order(null, arguments[1], null, null);
        mirrord.open(order, Kind.JAVA, new Heard(), () -> false);
        System.out.println("ready");
        System.in.read(); // its killer says nothing
    }
}
