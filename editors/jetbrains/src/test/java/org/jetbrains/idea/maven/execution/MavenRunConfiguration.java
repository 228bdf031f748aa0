// A look-alike of the IDE's own, as far as the plugin reads it by name.

package org.jetbrains.idea.maven.execution;

import java.util.List;

public class MavenRunConfiguration {
    public record Parameters(List<String> goals) {
        public List<String> getGoals() {
            return goals;
        }
    }

    private final Parameters parameters;
    private MavenRunnerSettings settings;

    public MavenRunConfiguration(MavenRunnerSettings settings, String... goals) {
        this.settings = settings;
        parameters = new Parameters(List.of(goals));
    }

    public String getProject() {
        return "project";
    }

    public Parameters getRunnerParameters() {
        return parameters;
    }

    public MavenRunnerSettings getRunnerSettings() {
        return settings;
    }

    public void setRunnerSettings(MavenRunnerSettings settings) {
        this.settings = settings;
    }
}
