/*
 * An app that walks trees by libc and prints what it is shown, an entry a line.
 *   walks nftw FLAGS NAME=RETURN PATH   the visitor returns RETURN at the entry NAME ("-=0" for never)
 *   walks ftw PATH
 *   walks fts OPTIONS NAME=WISH PATH... at the entry NAME: "skip", "again", "follow", "children", "names"; with "sort" all is
 *                                       sorted by name
 * FLAGS and OPTIONS are numbers. The last line is what the walk itself returned.
 */
#include <errno.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name;
static int walk_flags, value;

static int visit(const char *path, const struct stat *status, int flag, struct FTW *at)
{
	char here[4096] = "";

	if (walk_flags & FTW_CHDIR)
		getcwd(here, sizeof(here));
	printf("%d %d %d %s %ld %s\n", flag, at->level, at->base, path, flag == FTW_NS ? 0 : (long)status->st_size, here);
	return strcmp(path + at->base, name) == 0 ? value : 0;
}

static int visit_plain(const char *path, const struct stat *status, int flag)
{
	printf("%d %s %ld\n", flag, path, flag == FTW_NS ? 0 : (long)status->st_size);
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void show(const char *what, const FTSENT *entry)
{
	printf("%s %d %d %s %d %d %s %ld %ld\n", what, entry->fts_info, entry->fts_level, entry->fts_name, entry->fts_namelen,
	       entry->fts_pathlen, entry->fts_info == FTS_DC ? entry->fts_cycle->fts_name : "-", entry->fts_number,
	       entry->fts_statp && entry->fts_info != FTS_NSOK ? (long)entry->fts_statp->st_size : -1);
}

/* The entries are numbered by how often they were seen. */
static int walk_fts(int options, const char *wish, char **paths)
{
	FTS *stream = fts_open(paths, options, strcmp(wish, "sort") == 0 ? by_name : NULL);
	FTSENT *entry, *child;
	int seen = 0;

	if (!stream) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if (strcmp(wish, "children") == 0)
		for (child = fts_children(stream, 0); child; child = child->fts_link)
			show("start", child);
	while ((entry = fts_read(stream)) != NULL) {
		show("entry", entry);
		printf("%s %s\n", entry->fts_path, entry->fts_errno ? strerrorname_np(entry->fts_errno) : "-");
		entry->fts_number += 1;
		if (strcmp(entry->fts_name, name) != 0 || entry->fts_info == FTS_DP || seen++ > 0)
			continue;
		if (strcmp(wish, "skip") == 0)
			fts_set(stream, entry, FTS_SKIP);
		if (strcmp(wish, "again") == 0)
			fts_set(stream, entry, FTS_AGAIN);
		if (strcmp(wish, "follow") == 0)
			fts_set(stream, entry, FTS_FOLLOW);
		if (strcmp(wish, "children") == 0 || strcmp(wish, "names") == 0) {
			child = fts_children(stream, strcmp(wish, "names") == 0 ? FTS_NAMEONLY : 0);
			for (; child; child = child->fts_link) {
				show("child", child);
				/* Siblings are told to be skipped or followed before they come. */
				if (strcmp(child->fts_name, "link") == 0)
					fts_set(stream, child, FTS_FOLLOW);
				if (strcmp(child->fts_name, "small") == 0 || strcmp(child->fts_name, "many") == 0)
					fts_set(stream, child, FTS_SKIP);
			}
		}
	}
	printf("%s\n", errno ? strerrorname_np(errno) : "end");
	return fts_close(stream);
}

int main(int count, char **arguments)
{
	const char *call = count > 2 ? arguments[1] : "", *equals;
	int result;

	if (strcmp(call, "ftw") == 0) {
		result = ftw(arguments[2], visit_plain, 3);
	} else if (count < 5 || (equals = strchr(arguments[3], '=')) == NULL) {
		return 2;
	} else {
		walk_flags = (int)strtol(arguments[2], NULL, 0);
		name = strndup(arguments[3], (size_t)(equals - arguments[3]));
		value = atoi(equals + 1);
		if (strcmp(call, "fts") == 0)
			return walk_fts(walk_flags, equals + 1, arguments + 4);
		result = nftw(arguments[4], visit, 3, walk_flags);
	}
	printf("%d %s\n", result, result == -1 ? strerrorname_np(errno) : "");
	return 0;
}
