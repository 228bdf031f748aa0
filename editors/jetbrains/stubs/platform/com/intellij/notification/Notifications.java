// A stub: the part of the IDE's API that src/ide uses (stubs/README.md).

package com.intellij.notification;

import com.intellij.openapi.project.Project;

public interface Notifications {
    class Bus {
        public static void notify(Notification notification, Project project) {}
    }
}
