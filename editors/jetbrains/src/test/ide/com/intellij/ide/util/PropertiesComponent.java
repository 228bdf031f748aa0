// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.ide.util;

import com.intellij.openapi.project.Project;
import java.util.HashMap;
import java.util.Map;

public class PropertiesComponent {
    public static final PropertiesComponent ONE = new PropertiesComponent();
    public final Map<String, String> values = new HashMap<>();

    public static PropertiesComponent getInstance(Project project) {
        return ONE;
    }

    public String getValue(String name) {
        return values.get(name);
    }

    public void setValue(String name, String value) {
        if (value == null) values.remove(name);
        else values.put(name, value);
    }
}
