// The inside of the target dialog: the namespace, a filter, the kind, the targets. Plain Swing; the IDE puts
// a frame and buttons around it.

package mirrord.editor;

import java.awt.BorderLayout;
import java.awt.Dimension;
import java.awt.event.MouseAdapter;
import java.awt.event.MouseEvent;
import javax.swing.DefaultComboBoxModel;
import javax.swing.DefaultListModel;
import javax.swing.JCheckBox;
import javax.swing.JComboBox;
import javax.swing.JComponent;
import javax.swing.JList;
import javax.swing.JPanel;
import javax.swing.JScrollPane;
import javax.swing.JTextField;
import javax.swing.ListSelectionModel;
import javax.swing.event.DocumentEvent;
import javax.swing.event.DocumentListener;

/** What it offers is the picker's. */
public final class TargetPanel {
    private static final String ANY_KIND = "All kinds";

    /** The dialog around it. */
    public interface Frame {
        /** A choice can be made, or not. */
        void enable(boolean hasChoice);

        /** A double click: the choice is made. */
        void accept();

        void error(MirrordFailure failure);
    }

    final JComboBox<String> namespaces = new JComboBox<>();
    final JComboBox<String> kinds = new JComboBox<>();
    final JTextField filter = new JTextField();
    final JList<Picker.Row> list = new JList<>(new DefaultListModel<>());
    final JCheckBox isKept = new JCheckBox("Use it from now on without asking");
    private final Desk.Other other;
    private final Frame frame;
    private Picker picker;

    public TargetPanel(Picker picker, Desk.Other other, Frame frame) {
        this.picker = picker;
        this.other = other;
        this.frame = frame;
        Html.disable(list.getCellRenderer());
        Html.disable(namespaces.getRenderer());
        Html.disable(kinds.getRenderer());
        list.setSelectionMode(ListSelectionModel.SINGLE_SELECTION);
        list.addListSelectionListener(event -> frame.enable(list.getSelectedValue() != null));
        list.addMouseListener(new MouseAdapter() {
            @Override
            public void mouseClicked(MouseEvent event) {
                if (event.getClickCount() == 2 && list.getSelectedValue() != null) frame.accept();
            }
        });
        filter.getDocument().addDocumentListener(new DocumentListener() {
            @Override
            public void insertUpdate(DocumentEvent event) {
                refill();
            }

            @Override
            public void removeUpdate(DocumentEvent event) {
                refill();
            }

            @Override
            public void changedUpdate(DocumentEvent event) {
                refill();
            }
        });
        fill();
        namespaces.addActionListener(event -> enter((String) namespaces.getSelectedItem()));
        kinds.addActionListener(event -> refill());
    }

    /** The selected target; null: none is. */
    public Desk.Choice choice() {
        Picker.Row row = list.getSelectedValue();
        return row == null ? null : new Desk.Choice(row.target(), picker.namespace(), isKept.isSelected());
    }

    /** Where the keyboard begins. */
    public JComponent first() {
        return filter;
    }

    /** All of it, for the dialog. */
    public JComponent component() {
        JPanel top = new JPanel(new BorderLayout(8, 8));
        top.add(namespaces, BorderLayout.WEST);
        top.add(filter, BorderLayout.CENTER);
        top.add(kinds, BorderLayout.EAST);
        JPanel panel = new JPanel(new BorderLayout(8, 8));
        panel.add(top, BorderLayout.NORTH);
        panel.add(new JScrollPane(list), BorderLayout.CENTER);
        panel.add(isKept, BorderLayout.SOUTH);
        panel.setPreferredSize(new Dimension(560, 420));
        return panel;
    }

    private void enter(String namespace) {
        if (namespace == null || namespace.equals(picker.namespace())) return;
        try {
            picker = other.in(namespace);
            fill();
        } catch (MirrordFailure failure) {
            namespaces.setSelectedItem(picker.namespace());
            if (!failure.isCancelled()) frame.error(failure);
        }
    }

    private void fill() {
        namespaces.setModel(new DefaultComboBoxModel<>(picker.namespaces().toArray(new String[0])));
        DefaultComboBoxModel<String> all = new DefaultComboBoxModel<>(new String[] {ANY_KIND});
        picker.kinds().forEach(all::addElement);
        kinds.setModel(all);
        refill();
    }

    private void refill() {
        Object kind = kinds.getSelectedItem();
        DefaultListModel<Picker.Row> rows = new DefaultListModel<>();
        picker.rows(ANY_KIND.equals(kind) ? "" : (String) kind, filter.getText()).forEach(rows::addElement);
        list.setModel(rows);
        list.setSelectedIndex(rows.isEmpty() ? -1 : 0);
        frame.enable(!rows.isEmpty());
    }
}
