/*
 * realpath and its family. libc resolves a path by internal calls, past every hook: one that may be the
 * target's is resolved here, by hooked calls.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../../ops/files/cwd.h"
#include "../../sys/sys.h"
#include "../edge_path.h"

/* path_resolution(7) */
#define MOST_LINKS 40

/* Appends a component, "/" and all; false when there is no room. */
static bool append(char *path, size_t *length, const char *part, size_t part_length)
{
	if (*length + part_length + 2 > PATH_MAX)
		return false;
	path[(*length)++] = '/';
	memcpy(path + *length, part, part_length);
	*length += part_length;
	path[*length] = 0;
	return true;
}

/* Puts the text of a link before what is left to walk: rest = target + "/" + rest. */
static bool follow(char *rest, const char *target, size_t length)
{
	size_t left = strlen(rest);

	if (length + left + 2 > PATH_MAX)
		return false;
	memmove(rest + length + 1, rest, left + 1);
	memcpy(rest, target, length);
	rest[length] = '/';
	return true;
}

/* What a walk from the root needs: more than a small stack has. */
struct walk {
	char rest[PATH_MAX], found[PATH_MAX], target[PATH_MAX];
};

/*
 * Walks walk->rest from the root, link by link, to walk->found. What cannot be read is taken for a plain
 * component: whether all of it is there, the caller finds out. 0 or -errno.
 */
static int walk_links(struct walk *walk)
{
	char *rest = walk->rest, *into = walk->found;
	size_t length = 0, part;
	const char *at;
	int links = 0;

	into[0] = 0;
	while (*(at = rest + strspn(rest, "/"))) {
		size_t before = length;
		ssize_t found;

		part = strcspn(at, "/");
		if (part == 2 && memcmp(at, "..", 2) == 0) {
			while (length > 0 && into[--length] != '/')
				;
			into[length] = 0;
		} else if (part != 1 || *at != '.') {
			if (!append(into, &length, at, part))
				return -ENAMETOOLONG;
		}
		memmove(rest, at + part, strlen(at + part) + 1);
		found = length > before ? layer_readlink(into, walk->target, sizeof(walk->target) - 1) : -1;
		if (found < 0)
			continue;
		if (++links > MOST_LINKS)
			return -ELOOP;
		if (!follow(rest, walk->target, (size_t)found))
			return -ENAMETOOLONG;
		length = found > 0 && walk->target[0] == '/' ? 0 : before;
		into[length] = 0;
	}
	if (length == 0)
		strcpy(into, "/");
	return 0;
}

/* Is the path one whose components must be asked about? The guard is not taken on return. */
static bool is_asked(struct files_call *call, const char *path)
{
	call->path = path;
	return path && path[0] == '/' && edge_asked(call, AT_FDCWD, path) && call->about != FILES_NAMED;
}

/*
 * realpath(3) of a path of this machine: true, *result is what the hook returns. False: *walk has the path in
 * `rest`, or is NULL with errno. In a function of its own, whose frame is gone while the links are walked.
 */
static __attribute__((noinline)) bool is_here(const char *path, char *resolved, struct walk **walk, char **result)
{
	struct files_call call;
	const char *whole = path ? cwd_absolute(path, call.text) : NULL;
	bool asked;

	*walk = NULL;
	if (path && !whole) {
		errno = ENAMETOOLONG;
		return false;
	}
	asked = is_asked(&call, whole);
	/* The normal form has lost where ".." leads behind a link. */
	if (whole == call.text)
		call.path = whole = cwd_absolute(path, call.text);
	if (!asked) {
		*result = next_realpath(call.path, resolved);
		return true;
	}
	if (!whole || strlen(whole) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	*walk = sys_map(sizeof(**walk), false);
	if (*walk)
		strcpy((*walk)->rest, whole);
	else
		errno = ENOMEM;
	return false;
}

char *layer_realpath(const char *path, char *resolved)
{
	char *result = NULL;
	struct walk *walk;
	int saved = errno, status;

	if (is_here(path, resolved, &walk, &result) || !walk)
		return result;
	status = walk_links(walk);
	if (status < 0)
		errno = -status;
	else if (layer_access(walk->found, F_OK) == 0)
		result = resolved ? resolved : malloc(strlen(walk->found) + 1); /* freed by the app: realpath(3) */
	if (result) {
		strcpy(result, walk->found);
		errno = saved;
	}
	sys_unmap(walk, sizeof(*walk));
	return result;
}

#ifdef __GLIBC__
static __attribute__((noinline)) bool is_asked_of(const char *path)
{
	struct files_call call;

	return is_asked(&call, path) || call.path != path || (path && cwd_base());
}

char *layer_canonicalize_file_name(const char *path)
{
	return is_asked_of(path) ? layer_realpath(path, NULL) : next_canonicalize_file_name(path);
}

char *layer___realpath_chk(const char *path, char *resolved, size_t size)
{
	return size < PATH_MAX ? next___realpath_chk(path, resolved, size) : layer_realpath(path, resolved);
}
#endif
