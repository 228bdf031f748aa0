// Java programs: applications, tests, Spring Boot. Gradle's tasks come here too, where only a failure counts.

package mirrord.ide;

import com.intellij.execution.RunConfigurationExtension;
import com.intellij.execution.configurations.JavaParameters;
import com.intellij.execution.configurations.RunConfigurationBase;
import com.intellij.execution.configurations.RunnerSettings;
import com.intellij.util.EnvironmentUtil;
import mirrord.editor.Kind;
import mirrord.editor.Launch;

public final class JavaExtension extends RunConfigurationExtension {
    @Override
    public boolean isApplicableFor(RunConfigurationBase<?> configuration) {
        Kind kind = Kind.of(configuration);
        return kind == Kind.JAVA || kind == Kind.GRADLE;
    }

    @Override
    public <T extends RunConfigurationBase<?>> void updateJavaParameters(
            T configuration, JavaParameters parameters, RunnerSettings settings) {
        Launch launch = ProjectRuns.launch(configuration.getProject(), configuration, Kind.of(configuration));
        if (launch == null) return;
        Launch.Merged merged = launch.merge(
            parameters.getEnv(), parameters.isPassParentEnvs(), EnvironmentUtil.getEnvironmentMap());
        parameters.setEnv(merged.variables());
        parameters.setPassParentEnvs(merged.hasParent());
    }
}
