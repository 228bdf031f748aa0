// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.openapi.progress;

import com.intellij.openapi.project.Project;
import com.intellij.openapi.util.ThrowableComputable;
import java.util.ArrayList;
import java.util.List;

public class ProgressManager {
    public static boolean isCancelled;
    public static final List<String> STEPS = new ArrayList<>();

    public static ProgressManager getInstance() {
        return new ProgressManager();
    }

    public ProgressIndicator getProgressIndicator() {
        return new ProgressIndicator() {
            @Override
            public void setText(String text) {
                STEPS.add(text);
            }

            @Override
            public boolean isCanceled() {
                return isCancelled;
            }
        };
    }

    public <T, E extends Exception> T runProcessWithProgressSynchronously(
        ThrowableComputable<T, E> process, String progressTitle, boolean canBeCanceled, Project project)
        throws E {
        return process.compute();
    }
}
