/* The hooks of the calls that change one file. What they decide is in ops/files/change.c. */
#include <utime.h>

#include "../hooks.h"
#include "../ops/files/change.h"
#include "edge_file.h"
#include "edge_path.h"

int layer_mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, change_make_folder(&call, mode), next_mkdirat(call.dirfd, call.path, mode));
}

int layer_mkdir(const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH(path, change_make_folder(&call, mode), next_mkdir(call.path, mode));
}

int layer_mknod(const char *path, mode_t mode, dev_t device)
{
	struct files_call call;

	return EDGE_PATH(path, change_make_node(&call, mode, device), next_mknod(call.path, mode, device));
}

int layer_mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, change_make_node(&call, mode, device),
			    next_mknodat(call.dirfd, call.path, mode, device));
}

int layer_mkfifo(const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH(path, change_make_node(&call, mode | S_IFIFO, 0), next_mkfifo(call.path, mode));
}

int layer_mkfifoat(int dirfd, const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, change_make_node(&call, mode | S_IFIFO, 0),
			    next_mkfifoat(call.dirfd, call.path, mode));
}

int layer_unlink(const char *path)
{
	struct files_call call;

	return EDGE_PATH(path, change_remove(&call, path, false), next_unlink(call.path));
}

int layer_rmdir(const char *path)
{
	struct files_call call;

	return EDGE_PATH(path, change_remove(&call, path, true), next_rmdir(call.path));
}

int layer_unlinkat(int dirfd, const char *path, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, 0, change_remove(&call, path, flags & AT_REMOVEDIR),
			    next_unlinkat(call.dirfd, call.path, flags));
}

int layer_remove(const char *path)
{
	struct files_call call;

	return EDGE_PATH(path, change_remove_any(&call, path), next_remove(call.path));
}

int layer_chmod(const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH(path, change_mode(&call, mode, 0), next_chmod(call.path, mode));
}

int layer_lchmod(const char *path, mode_t mode)
{
	struct files_call call;

	return EDGE_PATH(path, change_mode(&call, mode, AT_SYMLINK_NOFOLLOW), next_lchmod(call.path, mode));
}

int layer_fchmod(int fd, mode_t mode)
{
	return EDGE_OPEN(fd, change_mode_of(&open, mode), next_fchmod(fd, mode));
}

int layer_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, change_mode(&call, mode, flags),
			    next_fchmodat(call.dirfd, call.path, mode, flags));
}

int layer_chown(const char *path, uid_t user, gid_t group)
{
	struct files_call call;

	return EDGE_PATH(path, change_owner(&call, user, group, 0), next_chown(call.path, user, group));
}

int layer_lchown(const char *path, uid_t user, gid_t group)
{
	struct files_call call;

	return EDGE_PATH(path, change_owner(&call, user, group, AT_SYMLINK_NOFOLLOW),
			 next_lchown(call.path, user, group));
}

int layer_fchown(int fd, uid_t user, gid_t group)
{
	return EDGE_OPEN(fd, change_owner_of(&open, user, group), next_fchown(fd, user, group));
}

int layer_fchownat(int dirfd, const char *path, uid_t user, gid_t group, int flags)
{
	struct files_call call;

	return EDGE_PATH_AT(dirfd, path, flags, change_owner(&call, user, group, flags),
			    next_fchownat(call.dirfd, call.path, user, group, flags));
}

int layer_utimensat(int dirfd, const char *path, const struct timespec *times, int flags)
{
	struct files_call call;

	/* As the kernel has it, and libc makes futimens of it: no path means `dirfd` itself. */
	if (!path)
		return layer_futimens(dirfd, times);
	return EDGE_PATH_AT(dirfd, path, flags, change_times(&call, times, flags),
			    next_utimensat(call.dirfd, call.path, times, flags));
}

int layer_futimens(int fd, const struct timespec *times)
{
	return EDGE_OPEN(fd, change_times_of(&open, times), next_futimens(fd, times));
}

/* What the older calls have, in the kernel's form. */
static const struct timespec *as_specs(struct timespec specs[2], const struct timeval *times)
{
	for (int i = 0; times && i < 2; i++)
		specs[i] = (struct timespec){ .tv_sec = times[i].tv_sec, .tv_nsec = times[i].tv_usec * 1000 };
	return times ? specs : NULL;
}

int layer_utimes(const char *path, const struct timeval *times)
{
	struct timespec specs[2];
	struct files_call call;

	return EDGE_PATH(path, change_times(&call, as_specs(specs, times), 0), next_utimes(call.path, times));
}

int layer_lutimes(const char *path, const struct timeval *times)
{
	struct timespec specs[2];
	struct files_call call;

	return EDGE_PATH(path, change_times(&call, as_specs(specs, times), AT_SYMLINK_NOFOLLOW),
			 next_lutimes(call.path, times));
}

int layer_futimes(int fd, const struct timeval *times)
{
	struct timespec specs[2];

	return EDGE_OPEN(fd, change_times_of(&open, as_specs(specs, times)), next_futimes(fd, times));
}

#ifdef __linux__
int layer_futimesat(int dirfd, const char *path, const struct timeval *times)
{
	struct timespec specs[2];
	struct files_call call;

	if (!path)
		return layer_futimes(dirfd, times);
	return EDGE_PATH_AT(dirfd, path, 0, change_times(&call, as_specs(specs, times), 0),
			    next_futimesat(call.dirfd, call.path, times));
}
#endif

int layer_utime(const char *path, const struct utimbuf *times)
{
	struct timespec specs[2] = { 0 };
	struct files_call call;

	if (times) {
		specs[0].tv_sec = times->actime;
		specs[1].tv_sec = times->modtime;
	}
	return EDGE_PATH(path, change_times(&call, times ? specs : NULL, 0), next_utime(call.path, times));
}

int layer_truncate(const char *path, off_t length)
{
	struct files_call call;

	return EDGE_PATH(path, change_length(&call, length), next_truncate(call.path, length));
}

int layer_ftruncate(int fd, off_t length)
{
	return EDGE_OPEN(fd, change_length_of(&open, length), next_ftruncate(fd, length));
}

int layer_fsync(int fd)
{
	return EDGE_OPEN(fd, change_sync_of(&open, false), next_fsync(fd));
}

int layer_fdatasync(int fd)
{
	return EDGE_OPEN(fd, change_sync_of(&open, true), next_fdatasync(fd));
}
