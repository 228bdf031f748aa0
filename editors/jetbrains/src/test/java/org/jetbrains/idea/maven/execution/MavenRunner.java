// A look-alike of the IDE's own, as far as the plugin reads it by name.

package org.jetbrains.idea.maven.execution;

import java.util.Map;

public class MavenRunner {
    public static final MavenRunnerSettings WIDE = new MavenRunnerSettings(Map.of("WIDE", "1"));

    public static MavenRunner getInstance(String project) {
        return new MavenRunner();
    }

    public MavenRunnerSettings getSettings() {
        return WIDE;
    }
}
