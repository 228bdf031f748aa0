// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.ide;

public class BrowserUtil {
    public static void browse(String url) {}
}
