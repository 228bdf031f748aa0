// A user before the IDE, and the IDE's memory: answers are given beforehand, what is shown is kept.

package mirrord.editor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

final class FakeDesk implements Desk, Memory {
    final List<String> shown = new CopyOnWriteArrayList<>();
    /** One for each dialog that comes; null closes it. */
    final List<Choice> choices = new ArrayList<>();
    /** Namespaces that the user looks into before the choice. */
    final List<String> looks = new ArrayList<>();
    final Map<String, String> kept = new HashMap<>();
    boolean isCancelled;

    @Override
    public <T> T busy(String title, Work<T> work) throws MirrordFailure {
        return work.run(new Progress() {
            @Override
            public void step(String text) {
                shown.add("step " + text);
            }

            @Override
            public boolean getAsBoolean() {
                return isCancelled;
            }
        });
    }

    @Override
    public Choice choose(Picker picker, Other other) {
        Picker at = picker;
        try {
            for (String namespace : looks) at = other.in(namespace);
        } catch (MirrordFailure failure) {
            error(failure);
        }
        shown.add("choose in " + at.namespace() + " " + at.rows("", "").stream().map(Picker.Row::target).toList());
        return choices.remove(0);
    }

    @Override
    public void info(String text) {
        shown.add("info " + text);
    }

    @Override
    public void warning(String text, Listener.Button button) {
        shown.add("warning " + text);
    }

    @Override
    public void error(MirrordFailure failure) {
        shown.add("error " + failure.text());
    }

    @Override
    public String get(String name) {
        return kept.get(name);
    }

    @Override
    public void set(String name, String value) {
        if (value == null) kept.remove(name);
        else kept.put(name, value);
    }
}
