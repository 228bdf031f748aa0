/*
 * The calls that make temporary files: mkstemp, mktemp and their families. libc makes one by an internal
 * open; in a folder of the target it is made here, by hooked calls.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../hooks.h"
#include "../../sys/sys_files.h"
#include "../edge_path.h"

#define PLACES 6 /* of "XXXXXX" (mkstemp(3)) */
#define ATTEMPTS 100

/* Puts random letters into the places of a template. */
static void fill_places(char *places)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint64_t random = sys_random();

	for (int i = 0; i < PLACES; i++) {
		places[i] = letters[random % (sizeof(letters) - 1)];
		random /= sizeof(letters) - 1;
	}
}

static int make_file(const char *path, int flags)
{
	return layer_open(path, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
}

static int make_folder(const char *path, int flags)
{
	(void)flags;
	return layer_mkdir(path, 0700);
}

/* Is it not for libc to make? Nor is what is local, but not by the name that libc would be given. */
static __attribute__((noinline)) bool is_ours(const char *path)
{
	struct files_call call;

	return edge_asked(&call, AT_FDCWD, path) || call.path != path;
}

/*
 * Makes a file or folder with an unused name, if its place may be the target's. False: libc may do it.
 * Otherwise *result is what the hook returns.
 */
static bool makes_temporary(char *path, int suffix, int flags, int (*make)(const char *, int), int *result)
{
	size_t length = path ? strlen(path) : 0;
	int saved = errno;
	char *places;

	if (suffix < 0 || length < PLACES + (size_t)suffix)
		return false;
	if (!is_ours(path))
		return false;
	places = path + length - suffix - PLACES;
	if (memcmp(places, "XXXXXX", PLACES) != 0)
		return false; /* libc says EINVAL */
	for (int i = 0; i < ATTEMPTS; i++) {
		fill_places(places);
		*result = make(path, flags);
		if (*result >= 0 || errno != EEXIST)
			break;
	}
	if (*result >= 0)
		errno = saved;
	return true;
}

int layer_mkstemp(char *path)
{
	int result;

	return makes_temporary(path, 0, 0, make_file, &result) ? result : next_mkstemp(path);
}

int layer_mkostemp(char *path, int flags)
{
	int result;

	return makes_temporary(path, 0, flags, make_file, &result) ? result : next_mkostemp(path, flags);
}

int layer_mkstemps(char *path, int suffix)
{
	int result;

	return makes_temporary(path, suffix, 0, make_file, &result) ? result : next_mkstemps(path, suffix);
}

int layer_mkostemps(char *path, int suffix, int flags)
{
	int result;

	return makes_temporary(path, suffix, flags, make_file, &result) ? result : next_mkostemps(path, suffix, flags);
}

char *layer_mkdtemp(char *path)
{
	int result;

	if (!makes_temporary(path, 0, 0, make_folder, &result))
		return next_mkdtemp(path);
	return result < 0 ? NULL : path;
}

/* lstat(2), turned round. */
static int make_nothing(const char *path, int flags)
{
	struct stat status;

	(void)flags;
	if (layer_lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : -1;
	errno = EEXIST;
	return -1;
}

char *layer_mktemp(char *path)
{
	int result;

	if (!makes_temporary(path, 0, 0, make_nothing, &result))
		return next_mktemp(path);
	if (result < 0)
		path[0] = 0;
	return path;
}
