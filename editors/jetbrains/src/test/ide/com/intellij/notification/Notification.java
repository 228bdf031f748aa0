// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.notification;

import com.intellij.openapi.actionSystem.AnAction;

public class Notification {
    public final String text;

    public Notification(String groupDisplayId, String title, String content, NotificationType type) {
        text = groupDisplayId + ", " + type + ": " + content;
    }

    public Notification addAction(AnAction action) {
        return this;
    }
}
