// Node.js programs and npm scripts.

package mirrord.ide;

import com.intellij.execution.runners.ExecutionEnvironment;
import com.intellij.execution.target.TargetedCommandLineBuilder;
import com.intellij.javascript.nodejs.execution.AbstractNodeTargetRunProfile;
import com.intellij.javascript.nodejs.execution.NodeTargetRun;
import com.intellij.javascript.nodejs.execution.runConfiguration.AbstractNodeRunConfigurationExtension;
import com.intellij.javascript.nodejs.execution.runConfiguration.NodeRunConfigurationLaunchSession;
import mirrord.editor.Kind;
import mirrord.editor.Launch;

public final class NodeExtension extends AbstractNodeRunConfigurationExtension {
    @Override
    public boolean isApplicableFor(AbstractNodeTargetRunProfile configuration) {
        return Kind.of(configuration) == Kind.NODE;
    }

    @Override
    public NodeRunConfigurationLaunchSession createLaunchSession(
            AbstractNodeTargetRunProfile configuration, ExecutionEnvironment start) {
        return new NodeRunConfigurationLaunchSession() {
            @Override
            public void addNodeOptionsTo(NodeTargetRun run) {
                Launch launch = ProjectRuns.launch(configuration.getProject(), configuration, Kind.NODE);
                if (launch == null) return;
                TargetedCommandLineBuilder line = run.getCommandLineBuilder();
                launch.unset().forEach(line::removeEnvironmentVariable);
                launch.environment().forEach(line::addEnvironmentVariable);
            }
        };
    }
}
