/*
 * stat and its family, access, readlink, statfs, and what is computed of those: pathconf, ftok. A whole file in memory answers with what the target said when it was
 * opened; a file that the session keeps open is asked about anew.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "cwd.h"
#include "files.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
/* What a network's file system says of itself, other than a disk's. */
#define BLOCK_BYTES (128u * 1024u)

/* makedev(3) of glibc */
static dev_t device(uint32_t high, uint32_t low)
{
	uint64_t major = high, minor = low;

	return (major & 0xfff) << 8 | (major & ~0xfffull) << 32 | (minor & 0xff) | (minor & ~0xffull) << 12;
}

static struct timespec moment(const struct files_time *time)
{
	return (struct timespec){ .tv_sec = time->seconds, .tv_nsec = time->nanoseconds };
}

static void fill(struct stat *into, const struct files_status *from)
{
	memset(into, 0, sizeof(*into));
	into->st_dev = device(from->dev_major, from->dev_minor);
	into->st_ino = from->ino;
	into->st_mode = from->mode;
	into->st_nlink = from->nlink;
	into->st_uid = from->uid;
	into->st_gid = from->gid;
	into->st_rdev = device(from->rdev_major, from->rdev_minor);
	into->st_size = (off_t)from->size;
	into->st_blksize = (blksize_t)from->blksize;
	into->st_blocks = (blkcnt_t)from->blocks;
	into->st_atim = moment(&from->atime);
	into->st_mtim = moment(&from->mtime);
	into->st_ctim = moment(&from->ctime);
}

/* The status of an open file of the target. False: `fd` is none; true: what the hook returns is in *result. */
static bool descriptor_status(int fd, struct files_status *status, int *result)
{
	struct files_open open;

	if (files_whole(&open, fd)) {
		memcpy(status, open.file.stat, sizeof(*status));
		*result = (int)files_leave(&open, 0);
		return true;
	}
	if (!files_remote(&open, fd))
		return false;
	*result = (int)files_leave(&open, files_fstat(&open.file, status));
	/* Programs read in steps of it; each is a question. */
	if (*result == 0 && status->blksize < BLOCK_BYTES)
		status->blksize = BLOCK_BYTES;
	return true;
}

/* The status by path, or of `dirfd` itself. False: it is local. */
static bool path_status(struct files_call *call, int dirfd, const char *path, int flags, struct files_status *status,
			int *result)
{
	if ((flags & AT_EMPTY_PATH) && (!path || !path[0])) {
		if (dirfd == AT_FDCWD && cwd_now())
			return path_status(call, dirfd, ".", flags & ~AT_EMPTY_PATH, status, result);
		call->dirfd = dirfd;
		call->path = path;
		return descriptor_status(dirfd, status, result);
	}
	if (!files_asks(call, dirfd, path) || !files_stat(call, flags, status))
		return false;
	*result = (int)files_result(call);
	return true;
}

static bool path_stat(struct files_call *call, int dirfd, const char *path, int flags, struct stat *into, int *result)
{
	struct files_status status;

	if (!path_status(call, dirfd, path, flags, &status, result))
		return false;
	if (*result == 0)
		fill(into, &status);
	return true;
}

static bool descriptor_stat(int fd, struct stat *into, int *result)
{
	struct files_status status;

	if (!descriptor_status(fd, &status, result))
		return false;
	if (*result == 0)
		fill(into, &status);
	return true;
}

int layer_stat(const char *path, struct stat *into)
{
	struct files_call call;
	int result;

	return path_stat(&call, AT_FDCWD, path, 0, into, &result) ? result : next_stat(call.path, into);
}

int layer_lstat(const char *path, struct stat *into)
{
	struct files_call call;
	int result;

	return path_stat(&call, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, into, &result) ? result :
										     next_lstat(call.path, into);
}

int layer_fstat(int fd, struct stat *into)
{
	int result;

	return descriptor_stat(fd, into, &result) ? result : next_fstat(fd, into);
}

int layer_fstatat(int dirfd, const char *path, struct stat *into, int flags)
{
	struct files_call call;
	int result;

	return path_stat(&call, dirfd, path, flags, into, &result) ? result :
								     next_fstatat(call.dirfd, call.path, into, flags);
}

/* The names behind stat and its family before glibc 2.33; `version` is that of struct stat, of which there is one. */
int layer___xstat(int version, const char *path, struct stat *into)
{
	struct files_call call;
	int result;

	return path_stat(&call, AT_FDCWD, path, 0, into, &result) ? result : next___xstat(version, call.path, into);
}

int layer___lxstat(int version, const char *path, struct stat *into)
{
	struct files_call call;
	int result;

	if (path_stat(&call, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, into, &result))
		return result;
	return next___lxstat(version, call.path, into);
}

int layer___fxstat(int version, int fd, struct stat *into)
{
	int result;

	return descriptor_stat(fd, into, &result) ? result : next___fxstat(version, fd, into);
}

int layer___fxstatat(int version, int dirfd, const char *path, struct stat *into, int flags)
{
	struct files_call call;
	int result;

	if (path_stat(&call, dirfd, path, flags, into, &result))
		return result;
	return next___fxstatat(version, call.dirfd, call.path, into, flags);
}

int layer_statx(int dirfd, const char *path, int flags, unsigned int mask, void *into)
{
	struct files_call call;
	int result;

	if (path_status(&call, dirfd, path, flags, into, &result))
		return result;
	return next_statx(call.dirfd, call.path, flags, mask, into);
}

int layer_access(const char *path, int mode)
{
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && files_access(&call, mode, 0))
		return (int)files_result(&call);
	return next_access(call.path, mode);
}

int layer_eaccess(const char *path, int mode)
{
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && files_access(&call, mode, AT_EACCESS))
		return (int)files_result(&call);
	return next_eaccess(call.path, mode);
}

int layer_faccessat(int dirfd, const char *path, int mode, int flags)
{
	struct files_call call;

	if (files_asks_at(&call, dirfd, path, flags) && files_access(&call, mode, flags))
		return (int)files_result(&call);
	return next_faccessat(call.dirfd, call.path, mode, flags);
}

ssize_t layer_readlink(const char *path, char *into, size_t size)
{
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && files_read_link(&call, into, size))
		return files_result(&call);
	return next_readlink(call.path, into, size);
}

ssize_t layer_readlinkat(int dirfd, const char *path, char *into, size_t size)
{
	struct files_call call;

	if (files_asks(&call, dirfd, path) && files_read_link(&call, into, size))
		return files_result(&call);
	return next_readlinkat(call.dirfd, call.path, into, size);
}

ssize_t layer___readlink_chk(const char *path, char *into, size_t count, size_t size)
{
	return count > size ? next___readlink_chk(path, into, count, size) : layer_readlink(path, into, count);
}

ssize_t layer___readlinkat_chk(int dirfd, const char *path, char *into, size_t count, size_t size)
{
	if (count > size)
		return next___readlinkat_chk(dirfd, path, into, count, size);
	return layer_readlinkat(dirfd, path, into, count);
}

int layer_statfs(const char *path, struct statfs *into)
{
	struct files_call call;

	if (files_asks(&call, AT_FDCWD, path) && files_statfs(&call, into))
		return (int)files_result(&call);
	return next_statfs(call.path, into);
}

int layer_fstatfs(int fd, struct statfs *into)
{
	struct files_call call;

	if (files_asks_at(&call, fd, "", AT_EMPTY_PATH) && files_statfs(&call, into))
		return (int)files_result(&call);
	return next_fstatfs(fd, into);
}

/* statvfs(3) tells the mount's flags without the one by which statfs(2) says that it has any. */
#define ST_VALID 0x20

static int as_statvfs(struct statvfs *into, const struct statfs *from)
{
	memset(into, 0, sizeof(*into));
	into->f_bsize = (unsigned long)from->f_bsize;
	into->f_frsize = (unsigned long)(from->f_frsize ? from->f_frsize : from->f_bsize);
	into->f_blocks = from->f_blocks;
	into->f_bfree = from->f_bfree;
	into->f_bavail = from->f_bavail;
	into->f_files = from->f_files;
	into->f_ffree = from->f_ffree;
	into->f_favail = from->f_ffree;
	memcpy(&into->f_fsid, &from->f_fsid, sizeof(into->f_fsid));
	into->f_flag = (unsigned long)from->f_flags & ~(unsigned long)ST_VALID;
	into->f_namemax = (unsigned long)from->f_namelen;
	return 0;
}

int layer_statvfs(const char *path, struct statvfs *into)
{
	struct files_call call;
	struct statfs status;

	if (!files_asks(&call, AT_FDCWD, path) || !files_statfs(&call, &status))
		return next_statvfs(call.path, into);
	return files_result(&call) < 0 ? -1 : as_statvfs(into, &status);
}

int layer_fstatvfs(int fd, struct statvfs *into)
{
	struct files_call call;
	struct statfs status;

	if (!files_asks_at(&call, fd, "", AT_EMPTY_PATH) || !files_statfs(&call, &status))
		return next_fstatvfs(fd, into);
	return files_result(&call) < 0 ? -1 : as_statvfs(into, &status);
}

/*
 * pathconf(3) of the target's files. What is not the file system's is Linux's, the same for both; of the file system only the
 * longest name is asked for in practice.
 */
static long limit(int name, const struct statvfs *status)
{
	return name == _PC_NAME_MAX ? (long)status->f_namemax : next_pathconf("/", name);
}

long layer_pathconf(const char *path, int name)
{
	struct statvfs status;

	if (!files_may_be(AT_FDCWD, path))
		return next_pathconf(path, name);
	return layer_statvfs(path, &status) < 0 ? -1 : limit(name, &status);
}

long layer_fpathconf(int fd, int name)
{
	struct statvfs status;

	if (!files_is(fd, FDS_FILE))
		return next_fpathconf(fd, name);
	return layer_fstatvfs(fd, &status) < 0 ? -1 : limit(name, &status);
}

/* The formula is glibc's own (ftok(3), NOTES). */
key_t layer_ftok(const char *path, int id)
{
	struct stat status;

	if (!files_may_be(AT_FDCWD, path))
		return next_ftok(path, id);
	if (layer_stat(path, &status) < 0)
		return -1;
	return (key_t)((status.st_ino & 0xffff) | (status.st_dev & 0xff) << 16 | ((uint32_t)id & 0xff) << 24);
}
