/*
 * The calls that ask to be told of changes: inotify and fanotify. Changes of the target's files do not travel, and the file of
 * that name here, if any, is another one: to watch that would be to wait for ever. So it is refused, and the session says so.
 *
 * With ENOSPC, "the user limit on inotify watches was reached" (inotify_add_watch(2)), since that is the failure that
 * programs are written for: `tail -F` polls after it and after no other, notify (Rust) and systemd have words of their own for
 * it, watchdog (Python) raises it with the reason, where it passes EACCES over in silence. ENOENT would be taken for a file
 * that is yet to come.
 */
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "files.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static void say(const struct files_call *call)
{
	struct wire_unwatched message = { .path = { .start = call->text, .length = call->length } };
	unsigned char body[WIRE_UNWATCHED_BYTES + PATH_MAX];
	struct link_ask question = { .kind = WIRE_UNWATCHED, .body = body };
	int length = wire_pack_unwatched(&message, body, sizeof(body));

	if (length < 0)
		return;
	question.length = (size_t)length;
	link_tell(&question);
}

/* Refuses what is the target's and there; false: it is local. */
static bool refuses(struct files_call *call, int follow, int *result)
{
	if (!files_access(call, F_OK, follow))
		return false;
	if (call->result == 0) {
		say(call);
		call->result = -ENOSPC;
	}
	*result = (int)files_result(call);
	return true;
}

int layer_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	int follow = mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, result;
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && refuses(&call, follow, &result))
		return result;
	return next_inotify_add_watch(fd, call.path, mask);
}

/* fanotify_mark(2): without a path it is about `dirfd` itself. */
int layer_fanotify_mark(int fd, unsigned int flags, uint64_t mask, int dirfd, const char *path)
{
	int follow = flags & FAN_MARK_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, result;
	struct files_call call;

	if (!(flags & FAN_MARK_ADD))
		return next_fanotify_mark(fd, flags, mask, dirfd, path);
	if (files_asks_at(&call, dirfd, path, path ? 0 : AT_EMPTY_PATH) && refuses(&call, follow, &result))
		return result;
	return next_fanotify_mark(fd, flags, mask, call.dirfd, call.path);
}
