// Asks JetBrains' own validator (structure-intellij, the rules of their marketplace) about a plugin's zip:
//   java -cp ITS-JARS PluginCheck.java ZIP
// Prints id, version and warnings, or the errors; ends with 1 for the latter.

import com.jetbrains.plugin.structure.base.plugin.PluginCreationFail;
import com.jetbrains.plugin.structure.base.plugin.PluginCreationResult;
import com.jetbrains.plugin.structure.base.plugin.PluginCreationSuccess;
import com.jetbrains.plugin.structure.intellij.plugin.IdePlugin;
import com.jetbrains.plugin.structure.intellij.plugin.IdePluginManager;
import java.nio.file.Path;

public final class PluginCheck {
    public static void main(String[] arguments) {
        PluginCreationResult<IdePlugin> result =
            IdePluginManager.createManager().createPlugin(Path.of(arguments[0]));
        if (result instanceof PluginCreationSuccess<IdePlugin> success) {
            IdePlugin plugin = success.getPlugin();
            System.out.println(plugin.getPluginId() + " " + plugin.getPluginVersion() + " for "
                + plugin.getSinceBuild() + " and later");
            success.getWarnings().forEach(warning -> System.out.println("warning: " + warning));
            plugin.getOptionalDescriptors().forEach(part -> System.out.println(
                "part: " + part.getConfigurationFilePath() + " for " + part.getDependency().getId()));
            return;
        }
        if (result instanceof PluginCreationFail<IdePlugin> failure) {
            failure.getErrorsAndWarnings().forEach(problem -> System.out.println("error: " + problem));
        }
        System.exit(1);
    }
}
