// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.execution.process;

public class ProcessHandler {
    public boolean isDestroyed;

    public void destroyProcess() {
        isDestroyed = true;
    }
}
