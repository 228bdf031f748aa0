/*
 * fts_open and its family. libc walks a tree by internal calls, past every hook, and would show this
 * machine's files: a stream over a tree that may have the target's is made here, of hooked calls, as in glibc
 * and the BSDs (fts(3)). It never changes the working folder, as with FTS_NOCHDIR: fts_accpath is fts_path.
 * fts_set(3) only writes into an entry, so libc's own serves both.
 * The invariant: the layer's stream has a negative descriptor number, which libc's never has.
 */
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../../hooks.h"
#include "walk.h"

#define OURS (-0x6d697272)
/* fts_pathlen is a short; a name and its slash may follow before that is looked at. */
#define PATH_ROOM (USHRT_MAX + NAME_MAX + 3)

struct stream {
	FTS open; /* what the app has */
	char path[PATH_ROOM];
};

/* What becomes of the entries of a folder. */
enum purpose { VISITED, SHOWN, NAMED };

static bool is_ours(const FTS *stream)
{
	return stream && stream->fts_rfd == OURS;
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void free_list(FTSENT *list)
{
	FTSENT *next;

	for (; list; list = next) {
		next = list->fts_link;
		free(list);
	}
}

/* An entry, with room for its status behind its name. */
static FTSENT *make(FTS *stream, const char *name, size_t length)
{
	const size_t align = _Alignof(max_align_t);
	size_t at = (sizeof(FTSENT) + length + align - 1) & ~(align - 1);
	FTSENT *one = calloc(1, at + sizeof(struct stat));

	if (!one)
		return NULL;
	memcpy(one->fts_name, name, length);
	one->fts_namelen = (unsigned short)length;
	one->fts_path = stream->fts_path;
	one->fts_instr = FTS_NOINSTR;
	if (!(stream->fts_options & FTS_NOSTAT))
		one->fts_statp = (struct stat *)((char *)one + at);
	return one;
}

/* Looks at fts_accpath; the value is for fts_info. */
static unsigned short look(FTS *stream, FTSENT *one, bool follow)
{
	struct stat own, *status = one->fts_statp ? one->fts_statp : &own;
	int failed;

	if (((stream->fts_options & FTS_LOGICAL) || follow ? layer_stat : layer_lstat)(one->fts_accpath, status) < 0) {
		failed = errno;
		if (((stream->fts_options & FTS_LOGICAL) || follow) && layer_lstat(one->fts_accpath, status) == 0) {
			errno = 0;
			return FTS_SLNONE;
		}
		one->fts_errno = failed;
		memset(status, 0, sizeof(*status));
		return FTS_NS;
	}
	if (S_ISLNK(status->st_mode))
		return FTS_SL;
	if (!S_ISDIR(status->st_mode))
		return S_ISREG(status->st_mode) ? FTS_F : FTS_DEFAULT;
	one->fts_dev = status->st_dev;
	one->fts_ino = status->st_ino;
	one->fts_nlink = status->st_nlink;
	if (is_dot(one->fts_name))
		return FTS_DOT;
	for (FTSENT *above = one->fts_parent; above->fts_level >= FTS_ROOTLEVEL && !one->fts_cycle; above = above->fts_parent)
		if (one->fts_ino == above->fts_ino && one->fts_dev == above->fts_dev)
			one->fts_cycle = above;
	return one->fts_cycle ? FTS_DC : FTS_D;
}

static FTSENT *sort(FTS *stream, FTSENT *list, size_t count)
{
	FTSENT **all = count > 1 && stream->fts_compar ? malloc(count * sizeof(*all)) : NULL, *one = list;

	if (!all)
		return list;
	for (size_t i = 0; i < count; i++, one = one->fts_link)
		all[i] = one;
	qsort(all, count, sizeof(*all), stream->fts_compar);
	for (size_t i = 0; i < count; i++)
		all[i]->fts_link = i + 1 < count ? all[i + 1] : NULL;
	list = all[0];
	free(all);
	return list;
}

/* Where in fts_path the slash before the names in `folder` goes. */
static size_t slash_of(const FTSENT *folder)
{
	size_t length = folder->fts_pathlen;

	return length > 0 && folder->fts_path[length - 1] == '/' ? length - 1 : length;
}

/* Puts the path of `one`, which lies in a folder that fts_path leads to, into fts_path. */
static void put_path(FTS *stream, const FTSENT *one)
{
	char *at = stream->fts_path + slash_of(one->fts_parent);

	*at++ = '/';
	memcpy(at, one->fts_name, one->fts_namelen + 1u);
}

/* The entry of the current folder that `found` is; NULL with errno. */
static FTSENT *make_child(FTS *stream, const struct dirent *found, enum purpose purpose)
{
	const bool spared = (stream->fts_options & FTS_NOSTAT) && (stream->fts_options & FTS_PHYSICAL);
	FTSENT *folder = stream->fts_cur, *one;
	size_t length = strlen(found->d_name), whole = slash_of(folder) + 1 + length;

	if (whole > USHRT_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	one = make(stream, found->d_name, length);
	if (!one)
		return NULL;
	one->fts_level = (short)(folder->fts_level + 1);
	one->fts_parent = folder;
	one->fts_pathlen = (unsigned short)whole;
	one->fts_accpath = stream->fts_path;
	one->fts_info = FTS_NSOK;
	if (purpose != NAMED && (!spared || found->d_type == DT_DIR || found->d_type == DT_UNKNOWN)) {
		put_path(stream, one);
		one->fts_info = look(stream, one, false);
	}
	return one;
}

/* The entries of the folder fts_cur. NULL: there are none, or it cannot be read. */
static FTSENT *read_folder(FTS *stream, enum purpose purpose)
{
	FTSENT *folder = stream->fts_cur, *list = NULL, **end = &list;
	DIR *dir = layer_opendir(folder->fts_accpath);
	struct dirent *entry;
	size_t count = 0;
	int failed, saved = errno;

	if (!dir) {
		if (purpose == VISITED) {
			folder->fts_info = FTS_DNR;
			folder->fts_errno = errno;
		}
		return NULL;
	}
	for (errno = 0; (entry = layer_readdir(dir)) != NULL; errno = 0) {
		if (!(stream->fts_options & FTS_SEEDOT) && is_dot(entry->d_name))
			continue;
		*end = make_child(stream, entry, purpose);
		if (!*end)
			break;
		end = &(*end)->fts_link;
		count++;
	}
	failed = errno;
	layer_closedir(dir);
	errno = saved;
	folder->fts_path[folder->fts_pathlen] = 0;
	if (entry) {
		free_list(list);
		folder->fts_info = FTS_ERR;
		stream->fts_options |= FTS_STOP;
		errno = failed;
		return NULL;
	}
	/* libc takes a list that breaks off for its end; here that may be a lost session. */
	if (failed)
		errno = folder->fts_errno = failed;
	if (count == 0 && purpose == VISITED)
		folder->fts_info = failed ? FTS_DNR : FTS_DP;
	return sort(stream, list, count);
}

/* Makes the start `one` the current path; its name is then what stands behind the last slash. */
static void load(FTS *stream, FTSENT *one)
{
	char *slash = strrchr(one->fts_name, '/');

	one->fts_pathlen = one->fts_namelen;
	memcpy(stream->fts_path, one->fts_name, one->fts_namelen + 1u);
	if (slash && (slash != one->fts_name || slash[1])) {
		one->fts_namelen = (unsigned short)strlen(slash + 1);
		memmove(one->fts_name, slash + 1, one->fts_namelen + 1u);
	}
	one->fts_accpath = one->fts_path = stream->fts_path;
	stream->fts_dev = one->fts_dev;
}

/* Appends the starts to `parent`; false with errno. */
static bool add_starts(FTS *stream, char *const *paths, FTSENT *parent)
{
	FTSENT *list = NULL, **end = &list, *one;
	size_t count = 0, length;

	for (; *paths; paths++, count++) {
		length = strlen(*paths);
		one = length > 0 && length <= USHRT_MAX ? make(stream, *paths, length) : NULL;
		if (!one) {
			errno = length == 0 ? ENOENT : length > USHRT_MAX ? ENAMETOOLONG : ENOMEM;
			free_list(list);
			return false;
		}
		one->fts_level = FTS_ROOTLEVEL;
		one->fts_parent = parent;
		one->fts_accpath = one->fts_name;
		one->fts_info = look(stream, one, stream->fts_options & FTS_COMFOLLOW);
		if (one->fts_info == FTS_DOT)
			one->fts_info = FTS_D;
		/* Of equals the order function's caller sees the last one first, as in libc. */
		if (stream->fts_compar) {
			one->fts_link = list;
			list = one;
		} else {
			*end = one;
			end = &one->fts_link;
		}
	}
	stream->fts_cur->fts_link = sort(stream, list, count);
	return true;
}

static FTS *open_stream(char *const *paths, int options, hooks_fts_order order)
{
	struct stream *made = calloc(1, sizeof(*made));
	FTS *stream = &made->open;
	FTSENT *parent;

	if (!made)
		return NULL;
	stream->fts_rfd = OURS;
	stream->fts_compar = (int (*)(const void *, const void *))order;
	stream->fts_options = options | FTS_NOCHDIR;
	stream->fts_pathlen = PATH_ROOM;
	stream->fts_path = made->path;
	parent = make(stream, "", 0);
	/* Before the starts stands an entry of which nothing but its link is looked at. */
	stream->fts_cur = parent ? make(stream, "", 0) : NULL;
	if (stream->fts_cur) {
		parent->fts_level = FTS_ROOTPARENTLEVEL;
		stream->fts_cur->fts_parent = parent;
		stream->fts_cur->fts_info = FTS_INIT;
		if (add_starts(stream, paths, parent))
			return stream;
	}
	free(stream->fts_cur);
	free(parent);
	free(made);
	return NULL;
}

FTS *layer_fts_open(char *const *paths, int options, hooks_fts_order order)
{
	bool walks = false;

	for (char *const *path = paths; !walks && *path; path++)
		walks = walk_meets(*path);
	/* An option that libc does not know is its to refuse. */
	if (!walks || (options & ~FTS_OPTIONMASK))
		return next_fts_open(paths, options, order);
	return open_stream(paths, options, order);
}

/* Past an entry: the next one of its folder, or that folder again. */
static FTSENT *step_on(FTS *stream, FTSENT *past)
{
	FTSENT *one;

	for (; (one = past->fts_link) != NULL; past = one) {
		stream->fts_cur = one;
		free(past);
		if (one->fts_level == FTS_ROOTLEVEL) {
			load(stream, one);
			return one;
		}
		if (one->fts_instr == FTS_SKIP)
			continue;
		put_path(stream, one);
		if (one->fts_instr == FTS_FOLLOW) {
			one->fts_info = look(stream, one, true);
			one->fts_instr = FTS_NOINSTR;
		}
		return one;
	}
	stream->fts_cur = one = past->fts_parent;
	free(past);
	if (one->fts_level == FTS_ROOTPARENTLEVEL) {
		free(one);
		errno = 0;
		return stream->fts_cur = NULL;
	}
	stream->fts_path[one->fts_pathlen] = 0;
	one->fts_info = one->fts_errno ? FTS_ERR : FTS_DP;
	return one;
}

/* Into the folder `one`, or past it. */
static FTSENT *step_in(FTS *stream, FTSENT *one, int wish)
{
	FTSENT *list = stream->fts_child;
	bool skipped = wish == FTS_SKIP || ((stream->fts_options & FTS_XDEV) && one->fts_dev != stream->fts_dev);

	stream->fts_child = NULL;
	if (list && (skipped || (stream->fts_options & FTS_NAMEONLY))) {
		free_list(list);
		list = NULL;
	}
	stream->fts_options &= ~FTS_NAMEONLY;
	if (skipped) {
		one->fts_info = FTS_DP;
		return one;
	}
	if (!list)
		list = read_folder(stream, VISITED);
	if (!list)
		return stream->fts_options & FTS_STOP ? NULL : one;
	put_path(stream, list);
	return stream->fts_cur = list;
}

FTSENT *layer_fts_read(FTS *stream)
{
	FTSENT *one;
	int wish;

	if (!is_ours(stream))
		return next_fts_read(stream);
	one = stream->fts_cur;
	if (!one || (stream->fts_options & FTS_STOP))
		return NULL;
	wish = one->fts_instr;
	one->fts_instr = FTS_NOINSTR;
	if (wish == FTS_AGAIN || (wish == FTS_FOLLOW && (one->fts_info == FTS_SL || one->fts_info == FTS_SLNONE))) {
		one->fts_info = look(stream, one, wish == FTS_FOLLOW);
		return one;
	}
	return one->fts_info == FTS_D ? step_in(stream, one, wish) : step_on(stream, one);
}

FTSENT *layer_fts_children(FTS *stream, int options)
{
	if (!is_ours(stream))
		return next_fts_children(stream, options);
	if (options != 0 && options != FTS_NAMEONLY) {
		errno = EINVAL;
		return NULL;
	}
	/* errno distinguishes an empty folder from one that cannot be read. */
	errno = 0;
	if (stream->fts_cur && !(stream->fts_options & FTS_STOP) && stream->fts_cur->fts_info == FTS_INIT)
		return stream->fts_cur->fts_link;
	if (!stream->fts_cur || (stream->fts_options & FTS_STOP) || stream->fts_cur->fts_info != FTS_D)
		return NULL;
	free_list(stream->fts_child);
	if (options == FTS_NAMEONLY)
		stream->fts_options |= FTS_NAMEONLY;
	return stream->fts_child = read_folder(stream, options == FTS_NAMEONLY ? NAMED : SHOWN);
}

int layer_fts_close(FTS *stream)
{
	FTSENT *one, *next;

	if (!is_ours(stream))
		return next_fts_close(stream);
	for (one = stream->fts_cur; one; one = next) {
		next = one->fts_link ? one->fts_link : one->fts_parent;
		free(one);
	}
	free_list(stream->fts_child);
	free(stream);
	return 0;
}
