// What a session said, in order.

package mirrord.editor;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

final class Heard implements Listener {
    final List<String> said = new CopyOnWriteArrayList<>();

    @Override
    public void step(String text) {
        said.add("step " + text);
    }

    @Override
    public void info(String text) {
        said.add("info " + text);
    }

    @Override
    public void warning(String text, Button button) {
        said.add("warning " + text + (button == null ? "" : " " + button.label() + " " + button.link()));
    }
}
