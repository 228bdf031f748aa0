/*
 * The calls that change one file: mkdir, unlink, chmod, chown, utimes, truncate, fsync and their relatives. By path, or by a
 * descriptor of a remote file. A whole file in memory is changed under the path that it was opened by.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "files.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* linux/stat.h: UTIME_NOW */
#define NOW ((1l << 30) - 1l)
/* "Leave it as it is", for chown(2). */
#define SAME_OWNER 0xffffffffu

#define ARGUMENTS(...) ((const uint64_t[4]){ __VA_ARGS__ })

/*
 * Makes one change by path. True: decided, *result is what the hook returns. False: local, with call->dirfd and
 * call->path.
 */
static bool by_path(struct files_call *call, int dirfd, const char *path, enum wire_change_what what, int flags,
		    const uint64_t arguments[4], int *result)
{
	bool asks = files_asks_at(call, dirfd, path, flags);

	/* rmdir(2): what the normal form of the path does not show any more. */
	if (asks && call->result == 0 && what == WIRE_CHANGE_REMOVE && (flags & AT_REMOVEDIR) && path[0]) {
		static const int refused[] = { 0, -EINVAL, -ENOTEMPTY };

		call->result = refused[paths_last_dots(path)];
	}
	if (!asks || !files_change(call, what, flags & ~AT_EMPTY_PATH, arguments))
		return false;
	*result = (int)files_result(call);
	return true;
}

/* The same by descriptor. */
static bool by_descriptor(int fd, enum wire_change_what what, const uint64_t arguments[4], int *result)
{
	struct files_call call;
	struct files_open open;
	char path[PATH_MAX];
	int length;

	if (files_asks_at(&call, fd, "", AT_EMPTY_PATH)) {
		files_change(&call, what, 0, arguments);
		*result = (int)files_result(&call);
		return true;
	}
	if (!files_whole(&open, fd))
		return false;
	length = files_whole_path(fd, path);
	*result = (int)files_leave(&open, length < 0 ? length : 0);
	/* Local only if the path is; that a whole file's path is none of the target's was true at its open already. */
	return length < 0 || by_path(&call, AT_FDCWD, path, what, 0, arguments, result);
}

int layer_mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct files_call call;
	int result;

	if (files_asks(&call, dirfd, path) && files_change(&call, WIRE_CHANGE_MKDIR, 0, ARGUMENTS(files_mode(mode)))) {
		result = (int)files_result(&call);
		return result;
	}
	return next_mkdirat(call.dirfd, call.path, mode);
}

int layer_mkdir(const char *path, mode_t mode)
{
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && files_change(&call, WIRE_CHANGE_MKDIR, 0, ARGUMENTS(files_mode(mode))))
		return (int)files_result(&call);
	return next_mkdir(call.path, mode);
}

int layer_unlink(const char *path)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_REMOVE, 0, ARGUMENTS(0), &result))
		return result;
	return next_unlink(call.path);
}

int layer_rmdir(const char *path)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_REMOVE, AT_REMOVEDIR, ARGUMENTS(0), &result))
		return result;
	return next_rmdir(call.path);
}

int layer_unlinkat(int dirfd, const char *path, int flags)
{
	struct files_call call;
	int result;

	if (by_path(&call, dirfd, path, WIRE_CHANGE_REMOVE, flags & AT_REMOVEDIR, ARGUMENTS(0), &result))
		return result;
	return next_unlinkat(call.dirfd, call.path, flags);
}

/* remove(3): unlink(2), or rmdir(2) of a directory. */
int layer_remove(const char *path)
{
	struct files_call call;
	int result;

	if (!by_path(&call, AT_FDCWD, path, WIRE_CHANGE_REMOVE, 0, ARGUMENTS(0), &result))
		return next_remove(call.path);
	return result < 0 && errno == EISDIR ? layer_rmdir(path) : result;
}

int layer_chmod(const char *path, mode_t mode)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_CHMOD, 0, ARGUMENTS(mode), &result))
		return result;
	return next_chmod(call.path, mode);
}

int layer_lchmod(const char *path, mode_t mode)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_CHMOD, AT_SYMLINK_NOFOLLOW, ARGUMENTS(mode), &result))
		return result;
	return next_lchmod(call.path, mode);
}

int layer_fchmod(int fd, mode_t mode)
{
	int result;

	return by_descriptor(fd, WIRE_CHANGE_CHMOD, ARGUMENTS(mode), &result) ? result : next_fchmod(fd, mode);
}

int layer_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	struct files_call call;
	int result;

	if (by_path(&call, dirfd, path, WIRE_CHANGE_CHMOD, flags, ARGUMENTS(mode), &result))
		return result;
	return next_fchmodat(call.dirfd, call.path, mode, flags);
}

static uint64_t owner(unsigned int id)
{
	return id & SAME_OWNER;
}

int layer_chown(const char *path, uid_t user, gid_t group)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_CHOWN, 0, ARGUMENTS(owner(user), owner(group)), &result))
		return result;
	return next_chown(call.path, user, group);
}

int layer_lchown(const char *path, uid_t user, gid_t group)
{
	const uint64_t *owners = ARGUMENTS(owner(user), owner(group));
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_CHOWN, AT_SYMLINK_NOFOLLOW, owners, &result))
		return result;
	return next_lchown(call.path, user, group);
}

int layer_fchown(int fd, uid_t user, gid_t group)
{
	int result;

	if (by_descriptor(fd, WIRE_CHANGE_CHOWN, ARGUMENTS(owner(user), owner(group)), &result))
		return result;
	return next_fchown(fd, user, group);
}

int layer_fchownat(int dirfd, const char *path, uid_t user, gid_t group, int flags)
{
	struct files_call call;
	int result;

	if (by_path(&call, dirfd, path, WIRE_CHANGE_CHOWN, flags, ARGUMENTS(owner(user), owner(group)), &result))
		return result;
	return next_fchownat(call.dirfd, call.path, user, group, flags);
}

/* The arguments of a change of times; no times mean now. */
struct moments {
	uint64_t of[4];
};

static struct moments from_specs(const struct timespec *times)
{
	if (!times)
		return (struct moments){ { 0, NOW, 0, NOW } };
	return (struct moments){ { (uint64_t)times[0].tv_sec, (uint64_t)times[0].tv_nsec, (uint64_t)times[1].tv_sec,
				   (uint64_t)times[1].tv_nsec } };
}

static struct moments from_values(const struct timeval *times)
{
	struct timespec specs[2];

	if (!times)
		return from_specs(NULL);
	for (int i = 0; i < 2; i++)
		specs[i] = (struct timespec){ .tv_sec = times[i].tv_sec, .tv_nsec = times[i].tv_usec * 1000 };
	return from_specs(specs);
}

int layer_utimensat(int dirfd, const char *path, const struct timespec *times, int flags)
{
	struct moments moments = from_specs(times);
	struct files_call call;
	int result;

	/* As the kernel has it, and libc makes futimens of it: no path means `dirfd` itself. */
	if (!path)
		return layer_futimens(dirfd, times);
	if (by_path(&call, dirfd, path, WIRE_CHANGE_UTIMENS, flags, moments.of, &result))
		return result;
	return next_utimensat(call.dirfd, call.path, times, flags);
}

int layer_futimens(int fd, const struct timespec *times)
{
	struct moments moments = from_specs(times);
	int result;

	return by_descriptor(fd, WIRE_CHANGE_UTIMENS, moments.of, &result) ? result : next_futimens(fd, times);
}

int layer_utimes(const char *path, const struct timeval *times)
{
	struct moments moments = from_values(times);
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_UTIMENS, 0, moments.of, &result))
		return result;
	return next_utimes(call.path, times);
}

int layer_lutimes(const char *path, const struct timeval *times)
{
	struct moments moments = from_values(times);
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_UTIMENS, AT_SYMLINK_NOFOLLOW, moments.of, &result))
		return result;
	return next_lutimes(call.path, times);
}

int layer_futimes(int fd, const struct timeval *times)
{
	struct moments moments = from_values(times);
	int result;

	return by_descriptor(fd, WIRE_CHANGE_UTIMENS, moments.of, &result) ? result : next_futimes(fd, times);
}

int layer_futimesat(int dirfd, const char *path, const struct timeval *times)
{
	struct moments moments = from_values(times);
	struct files_call call;
	int result;

	if (!path)
		return layer_futimes(dirfd, times);
	if (by_path(&call, dirfd, path, WIRE_CHANGE_UTIMENS, 0, moments.of, &result))
		return result;
	return next_futimesat(call.dirfd, call.path, times);
}

int layer_utime(const char *path, const struct utimbuf *times)
{
	struct timespec specs[2] = { 0 };
	struct moments moments;
	struct files_call call;
	int result;

	if (times) {
		specs[0].tv_sec = times->actime;
		specs[1].tv_sec = times->modtime;
	}
	moments = from_specs(times ? specs : NULL);
	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_UTIMENS, 0, moments.of, &result))
		return result;
	return next_utime(call.path, times);
}

int layer_truncate(const char *path, off_t length)
{
	struct files_call call;
	int result;

	if (by_path(&call, AT_FDCWD, path, WIRE_CHANGE_TRUNCATE, 0, ARGUMENTS((uint64_t)length), &result))
		return result;
	return next_truncate(call.path, length);
}

/* Descriptors that can be written are never whole files: of one of those the kernel refuses the rest. */
static bool of_remote(int fd, enum wire_change_what what, const uint64_t arguments[4], int *result)
{
	return files_is(fd, FDS_FILE) && by_descriptor(fd, what, arguments, result);
}

int layer_ftruncate(int fd, off_t length)
{
	int result;

	if (of_remote(fd, WIRE_CHANGE_TRUNCATE, ARGUMENTS((uint64_t)length), &result))
		return result;
	return next_ftruncate(fd, length);
}

int layer_fsync(int fd)
{
	int result;

	return of_remote(fd, WIRE_CHANGE_SYNC, ARGUMENTS(0), &result) ? result : next_fsync(fd);
}

int layer_fdatasync(int fd)
{
	int result;

	return of_remote(fd, WIRE_CHANGE_SYNC, ARGUMENTS(1), &result) ? result : next_fdatasync(fd);
}

int layer_fallocate(int fd, int mode, off_t offset, off_t length)
{
	const uint64_t *range = ARGUMENTS((uint64_t)mode, (uint64_t)offset, (uint64_t)length);
	int result;

	return of_remote(fd, WIRE_CHANGE_ALLOCATE, range, &result) ? result : next_fallocate(fd, mode, offset, length);
}

/* posix_fallocate(3) returns the error and leaves errno alone. */
int layer_posix_fallocate(int fd, off_t offset, off_t length)
{
	const uint64_t *range = ARGUMENTS(0, (uint64_t)offset, (uint64_t)length);
	int result, saved = errno;

	if (!of_remote(fd, WIRE_CHANGE_ALLOCATE, range, &result))
		return next_posix_fallocate(fd, offset, length);
	if (result == 0)
		return 0;
	result = errno;
	errno = saved;
	return result;
}
