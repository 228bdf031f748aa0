// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.util;

import java.util.Map;

public class EnvironmentUtil {
    public static Map<String, String> getEnvironmentMap() {
        return Map.of("PATH", "/usr/bin:/bin", "GONE", "from the IDE");
    }
}
