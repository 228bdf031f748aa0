/*
 * The hooks of close and dup and their relatives. What happens before and after libc's call is in
 * ops/descriptors.c. A descriptor without a note costs one load.
 */
#include <fcntl.h>
#include <unistd.h>

#include "../hooks.h"
#include "../ops/descriptors.h"
#include "../ops/files/control.h"
#include "hooks_descriptors.h"
#include "edge_file.h"

int layer_close(int fd)
{
	struct descriptors_end end;
	int saved, result = 0;

	if (descriptors_foreign(fd) || !guard_enter(&saved))
		return next_close(fd);
	if (descriptors_close(fd, &end).kind == VERDICT_LIBC)
		result = next_close(fd) < 0 ? -errno : 0;
	if (result == 0)
		descriptors_closed(&end);
	return guard_leave(saved, result);
}

/* `copy`, if it is one, is another descriptor of `fd`'s object. */
static int followed(int fd, int copy)
{
	int saved;

	if (copy >= 0 && (fds_has(fd) || fds_has(copy)) && guard_enter(&saved)) {
		descriptors_follow(fd, copy);
		guard_leave(saved, 0);
	}
	return copy;
}

int layer_dup(int fd)
{
	return followed(fd, next_dup(fd));
}

bool edge_replaces(int from, int to, int *saved)
{
	if (from == to || (!fds_has(from) && descriptors_foreign(to)) || !guard_enter(saved))
		return false;
	descriptors_make_room(to);
	return true;
}

int edge_replaced(int from, int to, int saved, int result)
{
	if (result < 0)
		return guard_leave(saved, -errno);
	descriptors_follow(from, to);
	return guard_leave(saved, result);
}

int layer_dup2(int from, int to)
{
	int saved;

	return edge_replaces(from, to, &saved) ? edge_replaced(from, to, saved, next_dup2(from, to)) : next_dup2(from, to);
}

int edge_fcntl(edge_fcntl_call next, int fd, int command, long argument)
{
	struct fds_handle open;
	int result;

	/* Some programs clear close-on-exec on every number before they exec: the link must not get there. */
	if (command == F_SETFD && descriptors_held(fd) && guard_active() && link_owns())
		return 0;
	result = EDGE_FILE(open, fd, file_fcntl(&open, command, argument), next(fd, command, argument));
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? followed(fd, result) : result;
}

int layer_fcntl(int fd, int command, long argument)
{
	return edge_fcntl(next_fcntl, fd, command, argument);
}
