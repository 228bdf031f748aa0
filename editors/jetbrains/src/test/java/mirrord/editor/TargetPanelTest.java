// The target dialog's inside, driven as a user does it. Swing needs no screen for this.

package mirrord.editor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import javax.swing.JComponent;
import javax.swing.JList;
import javax.swing.plaf.basic.BasicHTML;
import org.junit.jupiter.api.Test;

class TargetPanelTest implements TargetPanel.Frame {
    private final List<String> errors = new ArrayList<>();
    private boolean isEnabled;

    @Override
    public void enable(boolean hasChoice) {
        isEnabled = hasChoice;
    }

    @Override
    public void accept() {}

    @Override
    public void error(MirrordFailure failure) {
        errors.add(failure.getMessage());
    }

    private static Picker picker(String namespace, String... paths) {
        List<Targets.Target> all = new ArrayList<>();
        for (String path : paths) all.add(new Targets.Target(path, true));
        return new Picker(new Targets(all, namespace, List.of("n", "o", "p")), null);
    }

    @Test
    void theUserFiltersAndChooses() {
        TargetPanel panel = new TargetPanel(picker("n", "deployment/api", "pod/api-1", "pod/shop"), null, this);
        assertTrue(isEnabled);
        assertEquals(new Desk.Choice("deployment/api", "n", false), panel.choice());
        panel.kinds.setSelectedItem("pod");
        assertEquals("pod/api-1", panel.choice().target());
        panel.filter.setText("SHOP");
        panel.isKept.setSelected(true);
        assertEquals(new Desk.Choice("pod/shop", "n", true), panel.choice());
        panel.filter.setText("nothing has this name");
        assertNull(panel.choice());
        assertFalse(isEnabled);
    }

    @Test
    void namesOfAClusterAreNoHtml() {
        TargetPanel panel = new TargetPanel(picker("<html><b>n", "pod/<html><b>shop"), null, this);
        var row = panel.list.getCellRenderer()
            .getListCellRendererComponent(panel.list, new Picker.Row("<html><b>shop", "pod", "pod/<html><b>shop", false), 0, false, false);
        assertNull(((JComponent) row).getClientProperty(BasicHTML.propertyKey));
        var name = panel.namespaces.getRenderer()
            .getListCellRendererComponent(new JList<>(), "<html><b>n", 0, false, false);
        assertNull(((JComponent) name).getClientProperty(BasicHTML.propertyKey));
        assertEquals("a &lt;img src=x&gt; &amp;<br>b", Html.of("a <img src=x> &\nb"));
    }

    @Test
    void anotherNamespaceHasOtherTargets() {
        TargetPanel panel = new TargetPanel(picker("n", "pod/a"), namespace -> {
            if (namespace.equals("p")) throw new MirrordFailure("Cannot list \"p\": forbidden", "");
            return picker(namespace, "pod/in-" + namespace);
        }, this);
        panel.namespaces.setSelectedItem("o");
        assertEquals(new Desk.Choice("pod/in-o", "o", false), panel.choice());
        panel.namespaces.setSelectedItem("p");
        assertEquals(List.of("Cannot list \"p\": forbidden"), errors);
        assertEquals(new Desk.Choice("pod/in-o", "o", false), panel.choice());
        assertEquals("o", panel.namespaces.getSelectedItem());
    }
}
