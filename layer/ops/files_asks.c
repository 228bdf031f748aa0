/*
 * Whether the session is to be asked about a path, and how a call about one is decided. Called by the other files*.c and dirs.c.
 * The invariant: an absolute path, and one relative to a working directory of the target, is local only if the session's rules
 * or its answer say so; so is one relative to the root, or to an open folder below which the target's may lie. Any
 * other relative path is local unless its folder is a remote one. A lost link is EIO, never the local file.
 */
#include <fcntl.h>
#include <string.h>

#include "../config.h"
#include "../guard.h"
#include "../sys.h"
#include "../sys_files.h"
#include "cwd.h"
#include "files.h"

/* linux/fcntl.h, which glibc shows to some only */
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* Beside the session's socket lies what a hello's answer says of files, so that most processes need no link. */
#define RULES_SUFFIX ".paths"
#define RULES_PATH_BYTES 128
#define RULES_BYTES (64u * 1024u)

/* Reads that file: "1" or "0" for caught or not, a line's end, the rules. */
static void learn_from_file(void)
{
	char path[RULES_PATH_BYTES];
	size_t length = strlen(config_socket());
	char *text;
	long size;

	if (length + sizeof(RULES_SUFFIX) > sizeof(path))
		return;
	text = sys_map(RULES_BYTES, false);
	if (!text)
		return;
	memcpy(path, config_socket(), length);
	memcpy(path + length, RULES_SUFFIX, sizeof(RULES_SUFFIX));
	size = sys_read_file(path, text, RULES_BYTES);
	if (size >= 2 && (text[0] == '0' || text[0] == '1') && text[1] == '\n')
		paths_learn(text[0] == '1', text + 2, (size_t)size - 2);
	sys_unmap(text, RULES_BYTES);
}

/* 1: files are caught; 0: they are not; -EIO: the session is lost before it said so. Guard taken. */
static int caught(void)
{
	struct wire_run rules;
	int floor;

	if (!paths_known())
		learn_from_file();
	if (!paths_known()) {
		floor = link_floor(LINK_FILES);
		if (floor < 0)
			return floor;
		rules = link_paths();
		paths_learn(floor > 0, rules.start, rules.length);
	}
	return paths_caught();
}

long files_result(struct files_call *call)
{
	guard_inside = false;
	errno = call->result < 0 ? (int)-call->result : call->saved;
	return call->result < 0 ? -1 : call->result;
}

/*
 * A local path that climbs out of a folder which may be the target's ("/data/.."): the kernel would look for that folder
 * here, so libc is given the path without it.
 */
static void leave_folder(struct files_call *call)
{
	char folder[PATH_MAX];
	const char *up = call->path[0] == '/' && call->path != call->text ? strstr(call->path, "/..") : NULL;
	size_t given = up ? (size_t)(up - call->path) : 0;
	int length;

	if (given == 0 || given >= sizeof(folder) || call->length == 0)
		return;
	memcpy(folder, call->path, given);
	folder[given] = 0;
	length = paths_normalise(folder, folder);
	if (length > 0 && !paths_is_local(folder, (size_t)length))
		call->path = call->text;
}

bool files_decided(struct files_call *call, long result)
{
	if (result < 0 || call->where != FILES_LOCAL) {
		call->result = result;
		return true;
	}
	leave_folder(call);
	guard_leave(call->saved, 0);
	return false;
}

void files_local(struct files_call *call, uint8_t where, struct wire_run path)
{
	call->where = (enum files_where)where;
	if (where != FILES_LOCAL || path.length == 0 || path.length >= sizeof(call->text))
		return;
	memcpy(call->text, path.start, path.length);
	call->text[path.length] = 0;
	call->path = call->text;
	call->dirfd = AT_FDCWD;
}

/* Asks about the open file `fd` itself, if it is a remote one. */
static bool asks_itself(struct files_call *call, int fd)
{
	struct files_open open;

	if (!files_remote(&open, fd))
		return false;
	call->saved = open.saved;
	call->dir = open.file.id;
	call->length = 0;
	call->text[0] = 0;
	return true;
}

/* `path`: call->path, or what it means as an absolute one, in call->text. */
static bool asks_absolute(struct files_call *call, const char *path)
{
	int length, status, fd;

	/* While nothing is known, the guard comes first: it starts the layer. */
	if (paths_known() && !paths_caught())
		return false;
	length = paths_normalise(path, call->text);
	if (length == -ENOENT)
		return false;
	fd = length > 0 ? paths_descriptor(call->text) : -1;
	if (fd >= 0) {
		call->described = true;
		return asks_itself(call, fd);
	}
	call->length = length > 0 ? (uint32_t)length : 0;
	if (length > 0 && paths_known() && paths_is_local(call->text, (size_t)length)) {
		leave_folder(call);
		return false;
	}
	if (!guard_enter(&call->saved))
		return false;
	status = caught();
	if (status > 0 && length > 0 && paths_is_local(call->text, (size_t)length))
		status = 0;
	if (status < 0 && length > 0 && !paths_known() && paths_is_local(call->text, (size_t)length))
		status = 0;
	if (status == 0) {
		leave_folder(call);
		guard_leave(call->saved, 0);
		return false;
	}
	/* Found out by the question: nothing is asked of a lost session, nor about an impossible path. */
	call->result = status < 0 ? status : length < 0 ? length : 0;
	return true;
}

static void begin(struct files_call *call, int dirfd, const char *path)
{
	call->dirfd = dirfd;
	call->path = path;
	call->dir = 0;
	call->length = 0;
	call->result = 0;
	call->where = FILES_REMOTE;
	call->described = false;
}

/*
 * A path relative to a working directory of the target, or to the root: call->path becomes whole, so that libc gets it so where
 * it is local. False: it leads too far, which call->result says.
 */
static bool make_whole(struct files_call *call)
{
	const char *whole = cwd_absolute(call->path, call->text);

	if (whole)
		call->path = whole;
	else
		call->result = -ENAMETOOLONG;
	return whole;
}

/* The length of the path of the local folder that call->path is relative to, where the whole path decides; else 0. */
static size_t whole_from(const struct files_call *call, char *into)
{
	int length;

	if (call->dirfd == AT_FDCWD || (paths_known() && !paths_caught()))
		return 0;
	length = sys_descriptor_path(call->dirfd, into, PATH_MAX);
	if (length <= 0 || length == PATH_MAX || into[0] != '/')
		return 0;
	return paths_known() && paths_tree_is_local(into, (size_t)length) ? 0 : (size_t)length;
}

/*
 * A path relative to a folder of this machine below which the target's may lie: programs that trust no link open a path
 * part by part, from the root on. Local, libc gets it as it was given.
 */
static bool asks_behind(struct files_call *call)
{
	size_t length = whole_from(call, call->text), rest = strlen(call->path);

	if (length == 0)
		return false;
	if (length + 1 + rest >= sizeof(call->text))
		return false; /* the kernel says that it is too long, or that there is no such thing here */
	call->text[length] = '/';
	memcpy(call->text + length + 1, call->path, rest + 1);
	return asks_absolute(call, call->text);
}

bool files_asks(struct files_call *call, int dirfd, const char *path)
{
	int length;

	begin(call, dirfd, path);
	if (!path || !path[0])
		return false;
	if (dirfd == AT_FDCWD && !make_whole(call))
		return guard_enter(&call->saved);
	if (call->path[0] == '/')
		return asks_absolute(call, call->path);
	if (dirfd == AT_FDCWD || !asks_itself(call, dirfd))
		return asks_behind(call);
	length = paths_normalise(path, call->text);
	call->length = length > 0 ? (uint32_t)length : 0;
	call->result = length < 0 ? length : 0;
	return true;
}

bool files_asks_apart(struct files_call *call, const char *path)
{
	int length;

	begin(call, AT_FDCWD, path);
	if (!path || !path[0])
		return false;
	if (!make_whole(call))
		return true;
	if (!paths_known())
		learn_from_file();
	if (call->path[0] != '/' || !paths_caught())
		return false;
	length = paths_normalise(call->path, call->text);
	call->result = length < 0 ? length : 0;
	call->length = length > 0 ? (uint32_t)length : 0;
	return length < 0 || !paths_is_local(call->text, (size_t)length);
}

bool files_asks_at(struct files_call *call, int dirfd, const char *path, int flags)
{
	bool empty = (flags & AT_EMPTY_PATH) && (!path || !path[0]);

	if (!empty || (dirfd == AT_FDCWD && cwd_now()))
		return files_asks(call, dirfd, empty ? "." : path);
	begin(call, dirfd, path);
	return asks_itself(call, dirfd);
}
