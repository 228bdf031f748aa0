/*
 * What else is asked of a file: status flags, locks, attributes, event queues, special files and temporary ones.
 * The invariant: what does not travel is refused with the errno that file systems without it give, so that programs take
 * their other way; it never happens to a local file instead.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys_files.h"
#include "files.h"

/* asm-generic/fcntl.h */
#define OFD_GETLK 36
#define OFD_SETLKW 38
#define SHOWN_LARGEFILE 0100000
#define SETTABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)
#define NOT_SHOWN (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

/* fcntl(2) of a remote file. False: the descriptor's own answer is right. */
bool files_control(int fd, int command, long argument, int *result)
{
	bool locks = command == F_GETLK || command == F_SETLK || command == F_SETLKW ||
		     (command >= OFD_GETLK && command <= OFD_SETLKW);
	struct fds_note note;
	struct files_open open;

	if ((!locks && command != F_GETFL && command != F_SETFL) || !files_remote(&open, fd))
		return false;
	if (locks) {
		*result = (int)files_leave(&open, -ENOLCK);
		return true;
	}
	if (command == F_SETFL && fds_get(fd, &note)) {
		note.file.flags = (note.file.flags & ~(uint32_t)SETTABLE) | ((uint32_t)argument & SETTABLE);
		fds_change(fd, &note);
	}
	*result = command == F_GETFL ? (int)((open.file.flags & ~(uint32_t)NOT_SHOWN) | SHOWN_LARGEFILE) : 0;
	files_leave(&open, 0);
	return true;
}

int layer_flock(int fd, int operation)
{
	if (!files_is(fd, FDS_FILE))
		return next_flock(fd, operation);
	errno = ENOLCK;
	return -1;
}

int layer_lockf(int fd, int command, off_t length)
{
	if (!files_is(fd, FDS_FILE))
		return next_lockf(fd, command, length);
	errno = ENOLCK;
	return -1;
}

/* epoll_ctl(2): a regular file does not support it. */
int layer_epoll_ctl(int queue, int operation, int fd, void *event)
{
	if (!files_is(fd, FDS_FILE))
		return next_epoll_ctl(queue, operation, fd, event);
	errno = EPERM;
	return -1;
}

/* Extended attributes do not travel: the target's files have none. False: the path is local. */
static bool has_none(struct files_call *call, const char *path, int flags, ssize_t *result)
{
	if (!files_asks(call, AT_FDCWD, path) || !files_access(call, F_OK, flags))
		return false;
	if (call->result == 0)
		call->result = -EOPNOTSUPP;
	*result = files_result(call);
	return true;
}

static bool none_of(int fd, ssize_t *result)
{
	if (!files_is(fd, FDS_FILE) && !files_is(fd, FDS_WHOLE))
		return false;
	errno = EOPNOTSUPP;
	*result = -1;
	return true;
}

ssize_t layer_getxattr(const char *path, const char *name, void *value, size_t size)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, 0, &result) ? result : next_getxattr(call.path, name, value, size);
}

ssize_t layer_lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	struct files_call call;
	ssize_t result;

	if (has_none(&call, path, AT_SYMLINK_NOFOLLOW, &result))
		return result;
	return next_lgetxattr(call.path, name, value, size);
}

ssize_t layer_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	ssize_t result;

	return none_of(fd, &result) ? result : next_fgetxattr(fd, name, value, size);
}

int layer_setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, 0, &result) ? (int)result : next_setxattr(call.path, name, value, size, flags);
}

int layer_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	struct files_call call;
	ssize_t result;

	if (has_none(&call, path, AT_SYMLINK_NOFOLLOW, &result))
		return (int)result;
	return next_lsetxattr(call.path, name, value, size, flags);
}

int layer_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	ssize_t result;

	return none_of(fd, &result) ? (int)result : next_fsetxattr(fd, name, value, size, flags);
}

ssize_t layer_listxattr(const char *path, char *list, size_t size)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, 0, &result) ? result : next_listxattr(call.path, list, size);
}

ssize_t layer_llistxattr(const char *path, char *list, size_t size)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, AT_SYMLINK_NOFOLLOW, &result) ? result : next_llistxattr(call.path, list, size);
}

ssize_t layer_flistxattr(int fd, char *list, size_t size)
{
	ssize_t result;

	return none_of(fd, &result) ? result : next_flistxattr(fd, list, size);
}

int layer_removexattr(const char *path, const char *name)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, 0, &result) ? (int)result : next_removexattr(call.path, name);
}

int layer_lremovexattr(const char *path, const char *name)
{
	struct files_call call;
	ssize_t result;

	return has_none(&call, path, AT_SYMLINK_NOFOLLOW, &result) ? (int)result :
								      next_lremovexattr(call.path, name);
}

int layer_fremovexattr(int fd, const char *name)
{
	ssize_t result;

	return none_of(fd, &result) ? (int)result : next_fremovexattr(fd, name);
}
