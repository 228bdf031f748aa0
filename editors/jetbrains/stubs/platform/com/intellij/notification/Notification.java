// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.notification;

import com.intellij.openapi.actionSystem.AnAction;

public class Notification {
    public Notification(String groupDisplayId, String title, String content, NotificationType type) {}

    public Notification addAction(AnAction action) {
        return this;
    }
}
