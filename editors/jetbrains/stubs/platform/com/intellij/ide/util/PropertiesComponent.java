// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.ide.util;

import com.intellij.openapi.project.Project;

public abstract class PropertiesComponent {
    public static PropertiesComponent getInstance(Project project) {
        return null;
    }

    public abstract String getValue(String name);

    public abstract void setValue(String name, String value);
}
