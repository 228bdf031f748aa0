/*
 * nftw and ftw. libc walks a tree by internal calls, past every hook, and would show this machine's files: a
 * tree in which something may be the target's is walked here, by hooked calls, so that local and remote parts
 * may lie within each other. Order, flags and returns are glibc's. A path relative to a folder of this
 * machine is local, and libc's. The invariant: a folder is read whole before anything in it is visited, so
 * that one descriptor at most is open at any time, however few the app allows.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../edge_path.h"
#include "../../hooks.h"
#include "../../sys/sys.h"
#include "../../ops/files/cwd.h"
#include "walk.h"

#ifndef FTW_ACTIONRETVAL
/* glibc's alone (nftw(3)): without its flag these mean nothing. */
#define FTW_ACTIONRETVAL 0
#define FTW_STOP 1
#define FTW_SKIP_SUBTREE 2
#define FTW_SKIP_SIBLINGS 3
#endif

static __attribute__((noinline)) bool tree_may_be(const char *path)
{
	char text[PATH_MAX];
	int length = paths_normalise(path, text);

	return length > 0 && !paths_tree_is_local(text, (size_t)length);
}

bool walk_meets(const char *path)
{
	if (!path || !path[0])
		return false;
	if (path[0] != '/')
		return cwd_base() != NULL;
	return edge_may_be(AT_FDCWD, path) || (!guard_inside && paths_caught() && tree_may_be(path));
}

struct walk {
	hooks_visit visit; /* NULL: it is ftw(3)'s */
	hooks_plain_visit plain;
	int flags;
	dev_t device; /* of the start, for FTW_MOUNT */
	void *known; /* the folders seen, a tree of tsearch(3), where links are followed */
	struct FTW at;
	char path[2 * PATH_MAX];
};

struct object {
	dev_t device;
	ino_t number;
};

/* ftw(3) knows fewer kinds. */
static int plain_flag(int flag)
{
	switch (flag) {
	case FTW_SL:
		return FTW_F;
	case FTW_DP:
		return FTW_D;
	case FTW_SLN:
		return FTW_NS;
	default:
		return flag;
	}
}

static int say(struct walk *walk, const struct stat *status, int flag)
{
	if (walk->visit)
		return walk->visit(walk->path, status, flag, &walk->at);
	return walk->plain(walk->path, status, plain_flag(flag));
}

static int compare(const void *a, const void *b)
{
	const struct object *one = a, *other = b;

	if (one->device != other->device)
		return one->device < other->device ? -1 : 1;
	return one->number == other->number ? 0 : one->number < other->number ? -1 : 1;
}

/* 1: the folder was there before; 0: it is known now; -1: no memory. */
static int meet(struct walk *walk, const struct stat *status)
{
	struct object *one = malloc(sizeof(*one)), **found;

	if (!one)
		return -1;
	*one = (struct object){ .device = status->st_dev, .number = status->st_ino };
	found = tsearch(one, &walk->known, compare);
	if (!found || *found != one)
		free(one);
	return !found ? -1 : *found != one;
}

static void forget(struct walk *walk)
{
	while (walk->known) {
		struct object *one = *(struct object **)walk->known;

		tdelete(one, &walk->known, compare);
		free(one);
	}
}

/* Enters the folder that walk->path is in. */
static int enter_parent(struct walk *walk)
{
	int end = walk->at.base > 1 ? walk->at.base - 1 : 1;
	char cut = walk->path[end];
	int result;

	walk->path[end] = 0;
	result = layer_chdir(walk->path);
	walk->path[end] = cut;
	return result;
}

/* The names in a folder, each ended by a zero byte and all by another; NULL with errno. Closes `dir`. */
static char *read_names(DIR *dir)
{
	size_t count = 0, room = 1024, length;
	char *names = malloc(room), *more;
	struct dirent *entry = NULL;
	int saved = errno;

	for (errno = 0; names && (entry = layer_readdir(dir)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		length = strlen(entry->d_name) + 1;
		if (count + length >= room) {
			room = 2 * room + length;
			more = realloc(names, room);
			if (!more)
				break;
			names = more;
		}
		memcpy(names + count, entry->d_name, length);
		count += length;
	}
	if (names && (entry || errno)) {
		int failed = errno;

		free(names);
		names = NULL;
		errno = failed;
	} else if (names) {
		names[count] = 0;
		errno = saved;
	}
	saved = errno;
	layer_closedir(dir);
	errno = saved;
	return names;
}

static int visit_entry(struct walk *walk, const char *name);

/* Opens and visits the folder walk->path up to its entries; *names is what is in it. */
static int begin_folder(struct walk *walk, const struct stat *status, char **names)
{
	DIR *dir = layer_opendir(walk->path);
	int result = 0, saved;

	if (!dir)
		return errno == EACCES ? say(walk, status, FTW_DNR) : -1;
	if (!(walk->flags & FTW_DEPTH))
		result = say(walk, status, FTW_D);
	if (result == 0 && (walk->flags & FTW_CHDIR))
		result = layer_chdir(walk->path);
	if (result == 0) {
		*names = read_names(dir);
		return *names ? 0 : -1;
	}
	saved = errno;
	layer_closedir(dir);
	errno = saved;
	return result;
}

static int visit_folder(struct walk *walk, const struct stat *status)
{
	const bool acts = walk->flags & FTW_ACTIONRETVAL;
	size_t length = strlen(walk->path);
	int base = walk->at.base, saved, result;
	char *names = NULL;

	result = begin_folder(walk, status, &names);
	if (!names)
		return result;
	walk->at.level++;
	walk->at.base = (int)length;
	if (walk->path[length - 1] != '/')
		walk->path[walk->at.base++] = '/';
	for (const char *name = names; result == 0 && *name; name += strlen(name) + 1)
		result = visit_entry(walk, name);
	saved = errno;
	free(names);
	errno = saved;
	if (acts && result == FTW_SKIP_SIBLINGS)
		result = 0;
	walk->path[length] = 0;
	walk->at.level--;
	walk->at.base = base;
	if (result == 0 && (walk->flags & FTW_DEPTH))
		result = say(walk, status, FTW_DP);
	if (walk->at.level > 0 && (walk->flags & FTW_CHDIR) &&
	    (result == 0 || (acts && result != -1 && result != FTW_STOP)) && enter_parent(walk) < 0)
		result = -1;
	return result;
}

/*
 * What walk->path is; -1 when the walk cannot go on. Like glibc's, it goes on without what may not be looked
 * at or is gone.
 */
static int kind_of(struct walk *walk, struct stat *status)
{
	memset(status, 0, sizeof(*status));
	if ((walk->flags & FTW_PHYS ? layer_lstat : layer_stat)(walk->path, status) == 0)
		return S_ISDIR(status->st_mode) ? FTW_D : S_ISLNK(status->st_mode) ? FTW_SL : FTW_F;
	if (errno != EACCES && errno != ENOENT)
		return -1;
	if (!(walk->flags & FTW_PHYS) && layer_lstat(walk->path, status) == 0 && S_ISLNK(status->st_mode))
		return FTW_SLN;
	return FTW_NS;
}

static int visit_entry(struct walk *walk, const char *name)
{
	struct stat status;
	int flag, result;

	if ((size_t)walk->at.base + strlen(name) >= sizeof(walk->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(walk->path + walk->at.base, name);
	flag = kind_of(walk, &status);
	if (flag < 0)
		return -1;
	if (flag != FTW_NS && (walk->flags & FTW_MOUNT) && status.st_dev != walk->device)
		return 0;
	if (flag == FTW_D) {
		result = walk->flags & FTW_PHYS ? 0 : meet(walk, &status);
		if (result != 0)
			return result < 0 ? -1 : 0;
		result = visit_folder(walk, &status);
	} else {
		result = say(walk, &status, flag);
	}
	return (walk->flags & FTW_ACTIONRETVAL) && result == FTW_SKIP_SUBTREE ? 0 : result;
}

static int visit_start(struct walk *walk)
{
	struct stat status;
	int flag = kind_of(walk, &status);

	if (flag < 0 || flag == FTW_NS)
		return -1;
	if (flag != FTW_D)
		return say(walk, &status, flag);
	walk->device = status.st_dev;
	if (!(walk->flags & FTW_PHYS) && meet(walk, &status) < 0)
		return -1;
	return visit_folder(walk, &status);
}

/* The start's parent becomes the working folder, and in the end what was it before. */
static int visit_within(struct walk *walk)
{
	int result, saved, here = layer_open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (here < 0)
		return -1;
	result = enter_parent(walk);
	if (result == 0)
		result = visit_start(walk);
	saved = errno;
	if (layer_fchdir(here) < 0 && result == 0) {
		saved = errno;
		result = -1;
	}
	layer_close(here);
	errno = saved;
	return result;
}

static int walk_tree(struct walk *walk, const char *path)
{
	size_t length = strlen(path);
	const char *slash;
	int result, saved;

	if (length >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	while (length > 1 && path[length - 1] == '/')
		length--;
	memcpy(walk->path, path, length);
	walk->path[length] = 0;
	slash = strrchr(walk->path, '/');
	walk->at.base = slash ? (int)(slash - walk->path) + 1 : 0;
	/* Its paths would change their meaning with every step. */
	if ((walk->flags & FTW_CHDIR) && path[0] != '/') {
		errno = ENOTSUP;
		return -1;
	}
	result = walk->flags & FTW_CHDIR ? visit_within(walk) : visit_start(walk);
	if ((walk->flags & FTW_ACTIONRETVAL) && (result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS))
		result = 0;
	saved = errno;
	forget(walk);
	errno = saved;
	return result;
}

/* The walk has two paths' room, which no small stack has. */
static int walk_as(hooks_visit visit, hooks_plain_visit plain, int flags, const char *path)
{
	struct walk *walk = sys_map(sizeof(*walk), false);
	int result;

	if (!walk) {
		errno = ENOMEM;
		return -1;
	}
	walk->visit = visit;
	walk->plain = plain;
	walk->flags = flags;
	result = walk_tree(walk, path);
	sys_unmap(walk, sizeof(*walk));
	return result;
}

int layer_nftw(const char *path, hooks_visit visit, int descriptors, int flags)
{
	const int known = FTW_PHYS | FTW_MOUNT | FTW_CHDIR | FTW_DEPTH | FTW_ACTIONRETVAL;

	/* A flag that glibc does not know is its to refuse. */
	if ((flags & ~known) || !walk_meets(path))
		return next_nftw(path, visit, descriptors, flags);
	return walk_as(visit, NULL, flags, path);
}

int layer_ftw(const char *path, hooks_plain_visit visit, int descriptors)
{
	return walk_meets(path) ? walk_as(NULL, visit, 0, path) : next_ftw(path, visit, descriptors);
}
