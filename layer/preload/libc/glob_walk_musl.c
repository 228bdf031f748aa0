/*
 * glob(3) over the target's folders with musl, which reads folders by internal calls. Called by scan.c. The
 * invariant: paths lie behind a pointer's room in their memory, as musl's globfree(3) frees them.
 */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../hooks.h"
#include "glob_walk.h"

#define HEAD sizeof(void *)

struct glob {
	int flags;
	hooks_failed failed;
	char **found;
	size_t count, room;
};

/* A path as far as it is found. */
struct place {
	char path[PATH_MAX];
	size_t length;
};

static bool is_folder(const char *path)
{
	struct stat status;

	return layer_stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int add(struct glob *glob, const char *path, bool marks)
{
	size_t length = strlen(path), room;
	char **more, *memory;

	if (glob->count == glob->room) {
		room = glob->room ? 2 * glob->room : 32;
		more = realloc(glob->found, room * sizeof(*more));
		if (!more)
			return GLOB_NOSPACE;
		glob->found = more;
		glob->room = room;
	}
	memory = malloc(HEAD + length + 2);
	if (!memory)
		return GLOB_NOSPACE;
	strcpy(memory + HEAD, path);
	if (marks && path[length - 1] != '/' && is_folder(path))
		strcat(memory + HEAD, "/");
	glob->found[glob->count++] = memory + HEAD;
	return 0;
}

/* Has the part of a pattern, `length` bytes, anything but itself to match? */
static bool is_wild(const char *part, size_t length, int flags)
{
	for (size_t i = 0; i < length; i++) {
		if (part[i] == '\\' && !(flags & GLOB_NOESCAPE))
			i++;
		else if (strchr("*?[", part[i]))
			return true;
	}
	return false;
}

/* Appends the text of a part that is not wild. False: it is too long. */
static bool append(struct place *place, const char *part, size_t length, int flags)
{
	for (size_t i = 0; i < length; i++) {
		if (part[i] == '\\' && !(flags & GLOB_NOESCAPE) && i + 1 < length)
			i++;
		if (place->length + 1 >= sizeof(place->path))
			return false;
		place->path[place->length++] = part[i];
	}
	place->path[place->length] = 0;
	return true;
}

static int walk(struct glob *glob, struct place *place, const char *pattern);

/* Behind a whole part: the slashes that follow, and the rest. */
static int walk_behind(struct glob *glob, struct place *place, const char *rest)
{
	size_t slashes = strspn(rest, "/");
	struct stat status;

	if (slashes > 0 && !is_folder(place->path))
		return 0;
	if (!append(place, rest, slashes, GLOB_NOESCAPE))
		return 0;
	if (rest[slashes])
		return walk(glob, place, rest + slashes);
	return layer_lstat(place->path, &status) == 0 ? add(glob, place->path, glob->flags & GLOB_MARK) : 0;
}

/* A folder that cannot be read ends the walk where the caller wants that. */
static int refuse(const struct glob *glob, const char *folder)
{
	if ((glob->failed && glob->failed(folder, errno)) || (glob->flags & GLOB_ERR))
		return GLOB_ABORTED;
	return 0;
}

/* Each entry that the part, `length` bytes of the pattern, matches. */
static int walk_entries(struct glob *glob, struct place *place, const char *pattern, size_t length)
{
	int options = (glob->flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0) | FNM_PERIOD, result = 0;
	size_t before = place->length;
	char part[NAME_MAX * 2 + 1];
	struct dirent *entry;
	DIR *folder;

	if (length >= sizeof(part))
		return 0;
	memcpy(part, pattern, length);
	part[length] = 0;
	folder = layer_opendir(before ? place->path : ".");
	if (!folder)
		return refuse(glob, before ? place->path : ".");
	while (result == 0 && (errno = 0, entry = layer_readdir(folder)) != NULL) {
		if (fnmatch(part, entry->d_name, options) == 0 &&
		    append(place, entry->d_name, strlen(entry->d_name), GLOB_NOESCAPE))
			result = walk_behind(glob, place, pattern + length);
		place->length = before;
		place->path[before] = 0;
	}
	if (result == 0 && !entry && errno)
		result = refuse(glob, before ? place->path : ".");
	layer_closedir(folder);
	return result;
}

static int walk(struct glob *glob, struct place *place, const char *pattern)
{
	size_t length = strcspn(pattern, "/");

	if (is_wild(pattern, length, glob->flags))
		return walk_entries(glob, place, pattern, length);
	return append(place, pattern, length, glob->flags) ? walk_behind(glob, place, pattern + length) : 0;
}

static int in_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts what was found behind what `result` has. */
static int give(struct glob *glob, glob_t *result)
{
	size_t first = glob->flags & GLOB_DOOFFS ? result->gl_offs : 0, had = glob->flags & GLOB_APPEND ? result->gl_pathc : 0;
	char **all = glob->flags & GLOB_APPEND ? result->gl_pathv : NULL;

	all = realloc(all, (first + had + glob->count + 1) * sizeof(*all));
	if (!all)
		return GLOB_NOSPACE;
	if (had == 0)
		memset(all, 0, first * sizeof(*all));
	if (glob->count > 0)
		memcpy(all + first + had, glob->found, glob->count * sizeof(*all));
	all[first + had + glob->count] = NULL;
	result->gl_pathv = all;
	result->gl_pathc = had + glob->count;
	result->gl_offs = first;
	return 0;
}

int glob_walk(const char *pattern, int flags, hooks_failed failed, glob_t *result)
{
	struct glob glob = { .flags = flags, .failed = failed };
	size_t slashes = strspn(pattern, "/");
	int status, saved = errno;
	struct place *place;

	if (!(flags & GLOB_APPEND)) {
		result->gl_pathc = 0;
		result->gl_pathv = NULL;
		if (!(flags & GLOB_DOOFFS))
			result->gl_offs = 0;
	}
	place = malloc(sizeof(*place)); /* more than small stacks have */
	if (!place)
		return GLOB_NOSPACE;
	place->length = 0;
	place->path[0] = 0;
	status = append(place, pattern, slashes, GLOB_NOESCAPE) ?
			 pattern[slashes] ? walk(&glob, place, pattern + slashes) :
			 slashes	  ? add(&glob, place->path, false) :
					    0 :
			 0;
	free(place);
	if (status == 0 && glob.count == 0 && (flags & GLOB_NOCHECK))
		status = add(&glob, pattern, false);
	if (status == 0 && glob.count == 0)
		status = GLOB_NOMATCH;
	if (glob.count > 0 && !(flags & GLOB_NOSORT))
		qsort(glob.found, glob.count, sizeof(*glob.found), in_order);
	if (status == 0 || status == GLOB_ABORTED) {
		int given = give(&glob, result);

		status = given ? given : status;
	}
	if (status != 0 && status != GLOB_ABORTED)
		while (glob.count > 0)
			free(glob.found[--glob.count] - HEAD);
	free(glob.found);
	errno = saved;
	return status;
}
