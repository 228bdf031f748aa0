// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.notification;

import com.intellij.openapi.project.DumbAwareAction;

public abstract class NotificationAction extends DumbAwareAction {
    public static NotificationAction createSimple(String text, Runnable performAction) {
        return null;
    }
}
