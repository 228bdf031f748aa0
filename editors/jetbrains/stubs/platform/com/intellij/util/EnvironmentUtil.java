// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.util;

import java.util.Map;

public class EnvironmentUtil {
    public static Map<String, String> getEnvironmentMap() {
        return null;
    }
}
