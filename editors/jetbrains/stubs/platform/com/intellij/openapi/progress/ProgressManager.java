// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.openapi.progress;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.util.ThrowableComputable;

public abstract class ProgressManager {
    public static ProgressManager getInstance() {
        return null;
    }

    public abstract ProgressIndicator getProgressIndicator();

    public abstract <T, E extends Exception> T runProcessWithProgressSynchronously(
        ThrowableComputable<T, E> process, String progressTitle, boolean canBeCanceled, Project project)
        throws E;
}
