// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.fileChooser;

public class FileChooserDescriptor {
    public FileChooserDescriptor(
        boolean chooseFiles,
        boolean chooseFolders,
        boolean chooseJars,
        boolean chooseJarsAsFiles,
        boolean chooseJarContents,
        boolean chooseMultiple) {}
}
