// A look-alike of the IDE's own, as far as the plugin reads it by name.

package com.intellij.openapi.externalSystem.service.execution;

import java.util.List;
import java.util.Map;

public class ExternalSystemRunConfiguration {
    /** The task settings, which the IDE writes to the project's files. */
    public static class Settings {
        private Map<String, String> env = Map.of("OWN", "mine");
        private final List<String> tasks;

        Settings(List<String> tasks) {
            this.tasks = tasks;
        }

        public List<String> getTaskNames() {
            return tasks;
        }

        public Map<String, String> getEnv() {
            return env;
        }

        public void setEnv(Map<String, String> env) {
            this.env = env;
        }
    }

    private final Settings settings;

    public ExternalSystemRunConfiguration(String... tasks) {
        settings = new Settings(List.of(tasks));
    }

    public Settings getSettings() {
        return settings;
    }
}
