// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.openapi.application;

public class ApplicationManager {
    public static Application getApplication() {
        return new Application() {
            @Override
            public boolean isDispatchThread() {
                return true;
            }

            @Override
            public void invokeAndWait(Runnable runnable, ModalityState modalityState) {
                runnable.run();
            }
        };
    }
}
