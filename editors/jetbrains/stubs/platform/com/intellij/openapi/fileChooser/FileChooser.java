// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.fileChooser;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.vfs.VirtualFile;

public class FileChooser {
    public static VirtualFile chooseFile(
        FileChooserDescriptor descriptor, Project project, VirtualFile toSelect) {
        return null;
    }
}
