// The git branch of a project: `{{ git_branch }}` of its configuration.

package mirrord.editor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Read from git's own file (gitrepository-layout(5)): git itself may not be installed. */
final class Branch {
    private static final String BRANCH = "ref: refs/heads/";

    private Branch() {}

    /** Null without a repository, and where no branch is checked out. */
    static String of(Path folder) {
        for (Path at = folder; at != null; at = at.getParent()) {
            Path git = at.resolve(".git");
            if (!Files.exists(git)) continue;
            try {
                Path home = git;
                if (Files.isRegularFile(git)) { // a worktree, or a submodule
                    home = at.resolve(Files.readString(git).strip().replaceFirst("^gitdir: ", ""));
                }
                String head = Files.readString(home.resolve("HEAD")).strip();
                return head.startsWith(BRANCH) ? head.substring(BRANCH.length()) : null;
            } catch (IOException unreadable) {
                return null;
            }
        }
        return null;
    }
}
