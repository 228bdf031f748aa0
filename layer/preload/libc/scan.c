/*
 * The calls of libc that read folders by themselves, past the hooks: scandir and its family, glob. For the
 * target's folders they are made here from opendir, readdir and stat; libc reads local ones. Walks of whole
 * trees are walk.c and fts_glibc.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "../edge_path.h"
#include "../../hooks.h"
#include "../../ops/files/cwd.h"
#include "glob_walk.h"
#include "walk.h"

/*
 * The entries of an open folder, in memory that the app frees (scandir(3)); their number, or -1 with errno.
 */
static int collect(DIR *dir, struct dirent ***list, hooks_filter filter, hooks_order order)
{
	struct dirent **found = NULL, **more, *entry;
	size_t count = 0, room = 0;
	int saved = errno;

	for (errno = 0; (entry = layer_readdir(dir)) != NULL; errno = 0) {
		if (filter && !filter(entry))
			continue;
		if (count == room) {
			room = room ? 2 * room : 32;
			more = realloc(found, room * sizeof(*found));
			if (!more)
				goto fail;
			found = more;
		}
		found[count] = malloc(entry->d_reclen);
		if (!found[count])
			goto fail;
		memcpy(found[count++], entry, entry->d_reclen);
	}
	if (errno)
		goto fail;
	errno = saved;
	if (order && count > 0)
		qsort(found, count, sizeof(*found), (int (*)(const void *, const void *))order);
	*list = found ? found : malloc(sizeof(*found));
	return (int)count;
fail:
	saved = errno;
	while (count > 0)
		free(found[--count]);
	free(found);
	errno = saved;
	return -1;
}

/* Ends the walk of `dir`; errno stays. */
static int finished(DIR *dir, int result)
{
	int saved = errno;

	layer_closedir(dir);
	errno = saved;
	return result;
}

int layer_scandir(const char *path, struct dirent ***list, hooks_filter filter, hooks_order order)
{
	struct files_call call;
	DIR *dir;

	if (!edge_asked(&call, AT_FDCWD, path))
		return next_scandir(call.path, list, filter, order);
	dir = layer_opendir(path);
	return dir ? finished(dir, collect(dir, list, filter, order)) : -1;
}

#ifdef __GLIBC__
int layer_scandirat(int dirfd, const char *path, struct dirent ***list, hooks_filter filter, hooks_order order)
{
	struct files_call call;
	DIR *dir;
	int fd;

	if (!edge_asked(&call, dirfd, path))
		return next_scandirat(call.dirfd, call.path, list, filter, order);
	fd = layer_openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	dir = layer_fdopendir(fd);
	if (dir)
		return finished(dir, collect(dir, list, filter, order));
	layer_close(fd);
	return -1;
}
#endif

/* May something below the part of a pattern before its first wildcard be the target's? */
static __attribute__((noinline)) bool pattern_asked(const char *pattern)
{
	char folder[PATH_MAX];
	size_t length;

	if (pattern && pattern[0] != '/' && cwd_base())
		return true;
	if (!pattern || pattern[0] != '/')
		return false;
	length = strcspn(pattern, "*?[{\\");
	while (length > 1 && pattern[length - 1] != '/')
		length--;
	if (length >= sizeof(folder))
		return false;
	memcpy(folder, pattern, length);
	folder[length] = 0;
	return walk_meets(folder);
}

#ifdef GLOB_ALTDIRFUNC
static void *glob_open(const char *path)
{
	return layer_opendir(path);
}

static struct dirent *glob_read(void *dir)
{
	return layer_readdir(dir);
}

static void glob_close(void *dir)
{
	layer_closedir(dir);
}

static int glob_stat(const char *restrict path, struct stat *restrict into)
{
	return layer_stat(path, into);
}

static int glob_lstat(const char *restrict path, struct stat *restrict into)
{
	return layer_lstat(path, into);
}

/* glob(3) lets its caller choose how folders are read. */
int layer_glob(const char *pattern, int flags, hooks_failed failed, glob_t *result)
{
	if ((flags & GLOB_ALTDIRFUNC) || !pattern_asked(pattern))
		return next_glob(pattern, flags, failed, result);
	result->gl_opendir = glob_open;
	result->gl_readdir = glob_read;
	result->gl_closedir = glob_close;
	result->gl_stat = glob_stat;
	result->gl_lstat = glob_lstat;
	return next_glob(pattern, flags | GLOB_ALTDIRFUNC, failed, result);
}
#else
int layer_glob(const char *pattern, int flags, hooks_failed failed, glob_t *result)
{
	/* A home is this machine's. */
	bool homely = (flags & GLOB_TILDE) && pattern && pattern[0] == '~';

	return !homely && pattern_asked(pattern) ? glob_walk(pattern, flags, failed, result) :
						   next_glob(pattern, flags, failed, result);
}
#endif
