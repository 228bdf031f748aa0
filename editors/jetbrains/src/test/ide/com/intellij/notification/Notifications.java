// An IDE that is played: this part of it does what its users see (EdgeTest).

package com.intellij.notification;

import com.intellij.openapi.project.Project;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

public interface Notifications {
    List<String> SHOWN = new CopyOnWriteArrayList<>();

    class Bus {
        public static void notify(Notification notification, Project project) {
            SHOWN.add(notification.text);
        }
    }
}
