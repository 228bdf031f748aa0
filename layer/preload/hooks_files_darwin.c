/*
 * The hooks of calls about files that Darwin alone has. A target runs Linux and has nothing of the kind
 * (attribute lists, flags, clones): for its files they fail with ENOTSUP, after which programs use the calls
 * that every system has. Walks of libc's own (fts_open) would read this machine's folders, and fail too.
 */
#include <fcntl.h>
#include <limits.h>

#include "../hooks.h"
#include "../ops/files/control.h"
#include "../ops/files/cwd.h"
#include "../ops/files/itself.h"
#include "edge_file.h"
#include "edge_path.h"
#include "libc/walk.h"
#include "streams.h"

/* Streams are led when they are made (libc/stream_darwin.c). */
bool streams_lead(void)
{
	return true;
}

static struct verdict unsupported(struct files_call *call)
{
	return files_asked(call) ? verdict_result(call->result < 0 ? call->result : -ENOTSUP) : verdict_libc();
}

/* A call about a path, on which `libc` works where that is local. */
#define OF_PATH(path, libc) \
	struct files_call call; \
	return EDGE_PATH(path, unsupported(&call), libc)

#define OF_PATH_AT(dirfd, path, libc) \
	struct files_call call; \
	return EDGE_PATH_AT(dirfd, path, 0, unsupported(&call), libc)

/* The same about a descriptor. */
#define OF_OPEN(fd, libc) \
	struct fds_handle open; \
	return EDGE_FILE(open, fd, verdict_result(-ENOTSUP), libc)

/* About two paths, none of which is changed where both are local. */
static int fail(void)
{
	errno = ENOTSUP;
	return -1;
}

#define OF_BOTH(from_dir, from, to_dir, to, libc) \
	return edge_may_be(from_dir, from) || edge_may_be(to_dir, to) ? fail() : (libc)

int layer_getattrlist(const char *path, void *list, void *into, size_t size, unsigned int options)
{
	OF_PATH(path, next_getattrlist(call.path, list, into, size, options));
}

int layer_fgetattrlist(int fd, void *list, void *into, size_t size, unsigned int options)
{
	OF_OPEN(fd, next_fgetattrlist(fd, list, into, size, options));
}

int layer_getattrlistat(int dirfd, const char *path, void *list, void *into, size_t size, unsigned long options)
{
	OF_PATH_AT(dirfd, path, next_getattrlistat(call.dirfd, call.path, list, into, size, options));
}

int layer_getattrlistbulk(int dirfd, void *list, void *into, size_t size, uint64_t options)
{
	OF_OPEN(dirfd, next_getattrlistbulk(dirfd, list, into, size, options));
}

int layer_setattrlist(const char *path, void *list, void *from, size_t size, unsigned int options)
{
	OF_PATH(path, next_setattrlist(call.path, list, from, size, options));
}

int layer_fsetattrlist(int fd, void *list, void *from, size_t size, unsigned int options)
{
	OF_OPEN(fd, next_fsetattrlist(fd, list, from, size, options));
}

int layer_setattrlistat(int dirfd, const char *path, void *list, void *from, size_t size, uint32_t options)
{
	OF_PATH_AT(dirfd, path, next_setattrlistat(call.dirfd, call.path, list, from, size, options));
}

ssize_t layer_getxattr(const char *path, const char *name, void *value, size_t size, uint32_t position, int options)
{
	OF_PATH(path, next_getxattr(call.path, name, value, size, position, options));
}

ssize_t layer_fgetxattr(int fd, const char *name, void *value, size_t size, uint32_t position, int options)
{
	OF_OPEN(fd, next_fgetxattr(fd, name, value, size, position, options));
}

int layer_setxattr(const char *path, const char *name, const void *value, size_t size, uint32_t position, int options)
{
	OF_PATH(path, next_setxattr(call.path, name, value, size, position, options));
}

int layer_fsetxattr(int fd, const char *name, const void *value, size_t size, uint32_t position, int options)
{
	OF_OPEN(fd, next_fsetxattr(fd, name, value, size, position, options));
}

ssize_t layer_listxattr(const char *path, char *list, size_t size, int options)
{
	OF_PATH(path, next_listxattr(call.path, list, size, options));
}

ssize_t layer_flistxattr(int fd, char *list, size_t size, int options)
{
	OF_OPEN(fd, next_flistxattr(fd, list, size, options));
}

int layer_removexattr(const char *path, const char *name, int options)
{
	OF_PATH(path, next_removexattr(call.path, name, options));
}

int layer_fremovexattr(int fd, const char *name, int options)
{
	OF_OPEN(fd, next_fremovexattr(fd, name, options));
}

int layer_chflags(const char *path, unsigned int flags)
{
	OF_PATH(path, next_chflags(call.path, flags));
}

int layer_lchflags(const char *path, unsigned int flags)
{
	OF_PATH(path, next_lchflags(call.path, flags));
}

int layer_fchflags(int fd, unsigned int flags)
{
	OF_OPEN(fd, next_fchflags(fd, flags));
}

int layer_clonefile(const char *from, const char *to, uint32_t flags)
{
	OF_BOTH(AT_FDCWD, from, AT_FDCWD, to, next_clonefile(from, to, flags));
}

int layer_clonefileat(int from_dir, const char *from, int to_dir, const char *to, uint32_t flags)
{
	OF_BOTH(from_dir, from, to_dir, to, next_clonefileat(from_dir, from, to_dir, to, flags));
}

int layer_fclonefileat(int from, int to_dir, const char *to, uint32_t flags)
{
	return edge_is_file(from) || edge_may_be(to_dir, to) ? fail() : next_fclonefileat(from, to_dir, to, flags);
}

int layer_copyfile(const char *from, const char *to, void *state, uint32_t flags)
{
	OF_BOTH(AT_FDCWD, from, AT_FDCWD, to, next_copyfile(from, to, state, flags));
}

int layer_fcopyfile(int from, int to, void *state, uint32_t flags)
{
	return edge_is_file(from) || edge_is_file(to) ? fail() : next_fcopyfile(from, to, state, flags);
}

int layer_exchangedata(const char *one, const char *other, unsigned int options)
{
	OF_BOTH(AT_FDCWD, one, AT_FDCWD, other, next_exchangedata(one, other, options));
}

/* Without flags it is rename(2). */
int layer_renamex_np(const char *from, const char *to, unsigned int flags)
{
	if (flags == 0)
		return layer_rename(from, to);
	OF_BOTH(AT_FDCWD, from, AT_FDCWD, to, next_renamex_np(from, to, flags));
}

int layer_renameatx_np(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	if (flags == 0)
		return layer_renameat(from_dir, from, to_dir, to);
	OF_BOTH(from_dir, from, to_dir, to, next_renameatx_np(from_dir, from, to_dir, to, flags));
}

int layer_sendfile(int from, int to, off_t offset, off_t *length, void *around, int flags)
{
	struct fds_handle open;

	return EDGE_FILE(open, from, verdict_result(-ENOTSUP), next_sendfile(from, to, offset, length, around, flags));
}

/*
 * getwd(3): memory of PATH_MAX bytes, which has the reason where there is no path; the caller's is left
 * alone.
 */
char *layer_getwd(char *into)
{
	return cwd_now() ? layer_getcwd(into, PATH_MAX) : next_getwd(into);
}

void *layer_fts_open(char *const *paths, int options, void *order)
{
	for (char *const *path = paths; path && *path; path++)
		if (walk_meets(*path)) {
			errno = ENOTSUP;
			return NULL;
		}
	return next_fts_open(paths, options, order);
}

int layer_ioctl(int fd, unsigned long command, void *argument)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_ioctl(&open, command, argument), next_ioctl(fd, command, argument));
}
