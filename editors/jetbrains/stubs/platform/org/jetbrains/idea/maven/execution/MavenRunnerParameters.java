// A stub: what src/core reads of the IDE by its name (stubs/README.md).

package org.jetbrains.idea.maven.execution;

import java.util.List;

public class MavenRunnerParameters {
    public List<String> getGoals() {
        return null;
    }
}
