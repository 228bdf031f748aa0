/*
 * The calls that watch files for changes: inotify and fanotify. Changes of the target's files are not
 * transferred, and the file of that name here, if any, is another one: a program that watched it would wait
 * for ever. So the call fails, and the session reports it.
 *
 * With ENOSPC, "the user limit on inotify watches was reached" (inotify_add_watch(2)), since that is the
 * failure that programs are written for: `tail -F` polls after it and after no other, notify (Rust) and
 * systemd have messages of their own for it, watchdog (Python) raises it with the reason, but ignores EACCES
 * in silence. ENOENT would mean a file that does not exist yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../../link/ask.h"
#include "stat.h"
#include "watch.h"

static void say(const struct files_call *call)
{
	struct wire_unwatched message = { .path = files_text(call) };

	ask_tell(ASK_TELL(unwatched, &message));
}

struct verdict watch_path(struct files_call *call, bool follow)
{
	struct verdict verdict = stat_access(call, F_OK, follow ? 0 : AT_SYMLINK_NOFOLLOW);

	if (verdict.kind != VERDICT_VALUE)
		return verdict;
	say(call);
	return verdict_result(-ENOSPC);
}
