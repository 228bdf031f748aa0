/*
 * Shims of calls about files and descriptors: flags, struct stat, struct dirent, and what Linux has
 * otherwise.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

#include "shims.h"

/* sys/fcntl.h of Darwin, and Linux's. */
static const struct {
	int darwin, native;
} open_flags[] = {
	{ 0x4, O_NONBLOCK }, { 0x8, O_APPEND },	 { 0x100, O_NOFOLLOW }, { 0x200, O_CREAT },
	{ 0x400, O_TRUNC },  { 0x800, O_EXCL },	 { 0x20000, O_NOCTTY }, { 0x100000, O_DIRECTORY },
	{ 0x1000000, O_CLOEXEC },
};

static int native_flags(int flags)
{
	int result = flags & O_ACCMODE;

	for (size_t i = 0; i < sizeof(open_flags) / sizeof(open_flags[0]); i++)
		if (flags & open_flags[i].darwin)
			result |= open_flags[i].native;
	return result;
}

static int darwin_flags(int flags)
{
	int result = flags & O_ACCMODE;

	for (size_t i = 0; i < sizeof(open_flags) / sizeof(open_flags[0]); i++)
		if (flags & open_flags[i].native)
			result |= open_flags[i].darwin;
	return result;
}

/* AT_FDCWD and AT_* */
static int place(int fd)
{
	return fd == -2 ? AT_FDCWD : fd;
}

static int at_flags(int flags)
{
	return (flags & 0x20 ? AT_SYMLINK_NOFOLLOW : 0) | (flags & 0x40 ? AT_SYMLINK_FOLLOW : 0) |
	       (flags & 0x10 ? AT_EACCESS : 0) | (flags & 0x80 ? AT_REMOVEDIR : 0);
}

__attribute__((used)) int shim_open_plain(const char *path, int flags, int mode)
{
	return open(path, native_flags(flags), mode & 0xffff);
}
VARIADIC(shim_open, "w2");

__attribute__((used)) int shim_openat_plain(int fd, const char *path, int flags, int mode)
{
	return openat(place(fd), path, native_flags(flags), mode & 0xffff);
}
VARIADIC(shim_openat, "w3");

static int path_of(int fd, char *into)
{
	char name[40];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, into, 1023);
	if (length < 0)
		return -1;
	into[length] = 0;
	return 0;
}

__attribute__((used)) int shim_fcntl_plain(int fd, int command, long argument)
{
	int result;

	switch (command) {
	case F_DUPFD:
	case F_GETFD:
	case F_SETFD:
		return fcntl(fd, command, argument);
	case F_GETFL:
		result = fcntl(fd, F_GETFL);
		return result < 0 ? result : darwin_flags(result);
	case F_SETFL:
		return fcntl(fd, F_SETFL, native_flags((int)argument));
	case 50: /* F_GETPATH */
		return path_of(fd, (char *)argument);
	case 67: /* F_DUPFD_CLOEXEC */
		return fcntl(fd, F_DUPFD_CLOEXEC, argument);
	default:
		errno = EINVAL;
		return -1;
	}
}
VARIADIC(shim_fcntl, "x2");

__attribute__((used)) int shim_ioctl_plain(int fd, unsigned long command, void *argument)
{
	(void)fd;
	(void)command;
	(void)argument;
	errno = ENOTTY;
	return -1;
}
VARIADIC(shim_ioctl, "x2");

struct darwin_stat {
	int32_t device;
	uint16_t mode, links;
	uint64_t number;
	uint32_t user, group;
	int32_t special, gap;
	struct timespec accessed, modified, changed, born;
	int64_t size, blocks;
	int32_t block;
	uint32_t flags, generation;
	int32_t spare;
	int64_t spares[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144, "sys/stat.h");

static int give_status(int result, const struct stat *from, struct darwin_stat *into)
{
	if (result < 0)
		return result;
	*into = (struct darwin_stat){
		.device = (int32_t)from->st_dev,
		.mode = (uint16_t)from->st_mode,
		.links = (uint16_t)from->st_nlink,
		.number = from->st_ino,
		.user = from->st_uid,
		.group = from->st_gid,
		.special = (int32_t)from->st_rdev,
		.accessed = from->st_atim,
		.modified = from->st_mtim,
		.changed = from->st_ctim,
		.size = from->st_size,
		.blocks = from->st_blocks,
		.block = (int32_t)from->st_blksize,
	};
	return 0;
}

static int shim_stat(const char *path, struct darwin_stat *into)
{
	struct stat from;

	return give_status(stat(path, &from), &from, into);
}

static int shim_lstat(const char *path, struct darwin_stat *into)
{
	struct stat from;

	return give_status(lstat(path, &from), &from, into);
}

static int shim_fstat(int fd, struct darwin_stat *into)
{
	struct stat from;

	return give_status(fstat(fd, &from), &from, into);
}

static int shim_fstatat(int fd, const char *path, struct darwin_stat *into, int flags)
{
	struct stat from;

	return give_status(fstatat(place(fd), path, &from, at_flags(flags)), &from, into);
}

static int shim_faccessat(int fd, const char *path, int mode, int flags)
{
	return faccessat(place(fd), path, mode, at_flags(flags));
}

static ssize_t shim_readlinkat(int fd, const char *path, char *into, size_t size)
{
	return readlinkat(place(fd), path, into, size);
}

static int shim_mkdirat(int fd, const char *path, mode_t mode)
{
	return mkdirat(place(fd), path, mode & 0xffff);
}

static int shim_unlinkat(int fd, const char *path, int flags)
{
	return unlinkat(place(fd), path, at_flags(flags));
}

static int shim_fchmodat(int fd, const char *path, mode_t mode, int flags)
{
	return fchmodat(place(fd), path, mode & 0xffff, at_flags(flags));
}

static int shim_fchownat(int fd, const char *path, uid_t user, gid_t group, int flags)
{
	return fchownat(place(fd), path, user, group, at_flags(flags));
}

static int shim_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat(place(from_dir), from, place(to_dir), to);
}

static int shim_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return linkat(place(from_dir), from, place(to_dir), to, at_flags(flags));
}

static int shim_symlinkat(const char *target, int fd, const char *path)
{
	return symlinkat(target, place(fd), path);
}

static int shim_mkfifoat(int fd, const char *path, mode_t mode)
{
	return mkfifoat(place(fd), path, mode & 0xffff);
}

static int shim_utimensat(int fd, const char *path, const struct timespec *times, int flags)
{
	return utimensat(place(fd), path, times, at_flags(flags));
}

static off_t shim_lseek(int fd, off_t offset, int whence)
{
	return lseek(fd, offset, whence == 3 ? SEEK_HOLE : whence == 4 ? SEEK_DATA : whence);
}

static void *shim_mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	int native = (flags & (MAP_SHARED | MAP_PRIVATE | MAP_FIXED)) | (flags & 0x1000 ? MAP_ANONYMOUS : 0);

	return mmap(at, length, protection, native, fd, offset);
}

struct darwin_dirent {
	uint64_t number, offset;
	uint16_t length, name_length;
	uint8_t type;
	char name[1024];
};

static void give_entry(const struct dirent *from, struct darwin_dirent *into)
{
	into->number = from->d_ino;
	into->offset = (uint64_t)from->d_off;
	into->name_length = (uint16_t)strlen(from->d_name);
	into->length = (uint16_t)((21 + into->name_length + 8) & ~7);
	into->type = from->d_type;
	strcpy(into->name, from->d_name);
}

static struct darwin_dirent *shim_readdir(DIR *folder)
{
	static __thread struct darwin_dirent entry;
	const struct dirent *from = readdir(folder);

	if (!from)
		return NULL;
	give_entry(from, &entry);
	return &entry;
}

static int shim_readdir_r(DIR *folder, struct darwin_dirent *into, struct darwin_dirent **result)
{
	const struct dirent *from;

	errno = 0;
	from = readdir(folder);
	*result = from ? into : NULL;
	if (from)
		give_entry(from, into);
	return macho_errno(errno);
}

/* struct statvfs of Darwin has 32 bits for counts. */
struct darwin_statvfs {
	uint64_t block, fragment;
	uint32_t blocks, free, available, files, free_files, available_files;
	uint64_t id, flag, name;
};

static int give_place(int result, const struct statvfs *from, struct darwin_statvfs *into)
{
	if (result < 0)
		return result;
	*into = (struct darwin_statvfs){
		.block = from->f_bsize,
		.fragment = from->f_frsize,
		.blocks = (uint32_t)from->f_blocks,
		.files = (uint32_t)from->f_files,
		.name = from->f_namemax,
	};
	return 0;
}

static int shim_statvfs(const char *path, struct darwin_statvfs *into)
{
	struct statvfs from;

	return give_place(statvfs(path, &from), &from, into);
}

static int shim_fstatvfs(int fd, struct darwin_statvfs *into)
{
	struct statvfs from;

	return give_place(fstatvfs(fd, &from), &from, into);
}

/* What Linux has not, or in other structures: no case of the tests needs libc's own. */
static int unsupported(void)
{
	errno = ENOSYS;
	return -1;
}

static void *no_result(void)
{
	errno = ENOSYS;
	return NULL;
}

static const struct timeval *native_times(const struct darwin_timeval *from, struct timeval into[2])
{
	for (int i = 0; from && i < 2; i++)
		into[i] = (struct timeval){ .tv_sec = from[i].seconds, .tv_usec = from[i].microseconds };
	return from ? into : NULL;
}

static int shim_utimes(const char *path, const struct darwin_timeval *times)
{
	struct timeval native[2];

	return utimes(path, native_times(times, native));
}

static int shim_lutimes(const char *path, const struct darwin_timeval *times)
{
	struct timeval native[2];

	return lutimes(path, native_times(times, native));
}

static int shim_futimes(int fd, const struct darwin_timeval *times)
{
	struct timeval native[2];

	return futimes(fd, native_times(times, native));
}

const struct shim file_shims[] = {
	{ "_open", shim_open },		  { "_openat", shim_openat },	  { "_fcntl", shim_fcntl },
	{ "_ioctl", shim_ioctl },	  { "_stat", shim_stat },	  { "_lstat", shim_lstat },
	{ "_fstat", shim_fstat },	  { "_fstatat", shim_fstatat },	  { "_faccessat", shim_faccessat },
	{ "_readlinkat", shim_readlinkat }, { "_mkdirat", shim_mkdirat },  { "_unlinkat", shim_unlinkat },
	{ "_fchmodat", shim_fchmodat },	  { "_fchownat", shim_fchownat }, { "_renameat", shim_renameat },
	{ "_linkat", shim_linkat },	  { "_symlinkat", shim_symlinkat }, { "_mkfifoat", shim_mkfifoat },
	{ "_utimensat", shim_utimensat }, { "_lseek", shim_lseek },	  { "_mmap", shim_mmap },
	{ "_readdir", shim_readdir },	  { "_readdir_r", shim_readdir_r }, { "_statvfs", shim_statvfs },
	{ "_fstatvfs", shim_fstatvfs },	  { "_statfs", unsupported },	  { "_fstatfs", unsupported },
	{ "_scandir", unsupported },	  { "_nftw", unsupported },	  { "_ftw", unsupported },
	{ "_glob", unsupported },	  { "_fts_open", no_result },	  { "_mknodat", unsupported },
	{ "_getxattr", unsupported },	  { "_fgetxattr", unsupported },  { "_setxattr", unsupported },
	{ "_fsetxattr", unsupported },	  { "_listxattr", unsupported },  { "_flistxattr", unsupported },
	{ "_removexattr", unsupported },  { "_fremovexattr", unsupported }, { "_sendfile", unsupported },
	{ "_utimes", shim_utimes },	  { "_lutimes", shim_lutimes },	  { "_futimes", shim_futimes },
	{ NULL, NULL },
};
