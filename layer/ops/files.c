/*
 * The frame of every call about a path: whether the session is to be asked, and the questions that several hooks share.
 * Called by the other files*.c and dirs.c.
 * The invariant: a relative path is local unless its folder is a remote one; an absolute path, and one relative to a working
 * directory of the target, is local only if the session's rules or its answer say so. A lost link is EIO, never the local file.
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

#define PATH_BODY(name) unsigned char body[name + PATH_MAX]

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

static bool asks_absolute(struct files_call *call)
{
	int length, status, fd;

	/* While nothing is known, the guard comes first: it starts the layer. */
	if (paths_known() && !paths_caught())
		return false;
	length = paths_normalise(call->path, call->text);
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
 * A path relative to a working directory of the target: call->path becomes whole, so that libc gets it so where it is local.
 * False: it leads too far, which call->result says.
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

bool files_asks(struct files_call *call, int dirfd, const char *path)
{
	int length;

	begin(call, dirfd, path);
	if (!path || !path[0])
		return false;
	if (dirfd == AT_FDCWD && !make_whole(call))
		return guard_enter(&call->saved);
	if (call->path[0] == '/')
		return asks_absolute(call);
	if (dirfd == AT_FDCWD || !asks_itself(call, dirfd))
		return false;
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

static struct wire_run asked_path(const struct files_call *call)
{
	return (struct wire_run){ .start = call->text, .length = call->length };
}

/* Asks, unless the call failed before; `length` is what packing said. */
static bool ask(struct files_call *call, uint16_t kind, const unsigned char *body, int length, link_unpack unpack,
		void *context)
{
	struct link_ask question = { .kind = kind, .body = body, .length = (size_t)length };
	int status = (int)call->result;

	if (status == 0)
		status = length < 0 ? length : link_request(&question, unpack, context);
	return files_decided(call, status < 0 ? status : call->result);
}

struct stat_answer {
	struct files_call *call;
	void *status;
	size_t size;
};

static int take_status(const struct stat_answer *answer, uint8_t where, struct wire_run path, struct wire_run status)
{
	files_local(answer->call, where, path);
	if (where != FILES_LOCAL && status.length != answer->size)
		return -EIO;
	if (where != FILES_LOCAL)
		memcpy(answer->status, status.start, answer->size);
	return 0;
}

static int unpack_stat(void *context, const unsigned char *from, size_t length)
{
	struct wire_stat_reply reply;

	if (wire_unpack_stat_reply(&reply, from, length) < 0)
		return -EIO;
	return take_status(context, reply.where, reply.path, reply.status);
}

bool files_stat(struct files_call *call, int flags, struct files_status *status)
{
	struct wire_stat message = { .dir = call->dir, .flags = (uint32_t)flags & AT_SYMLINK_NOFOLLOW };
	struct stat_answer answer = { .call = call, .status = status, .size = sizeof(*status) };
	PATH_BODY(WIRE_STAT_BYTES);

	message.path = asked_path(call);
	return ask(call, WIRE_STAT, body, wire_pack_stat(&message, body, sizeof(body)), unpack_stat, &answer);
}

static int unpack_statfs(void *context, const unsigned char *from, size_t length)
{
	struct wire_statfs_reply reply;

	if (wire_unpack_statfs_reply(&reply, from, length) < 0)
		return -EIO;
	return take_status(context, reply.where, reply.path, reply.status);
}

bool files_statfs(struct files_call *call, void *status)
{
	struct wire_statfs message = { .dir = call->dir, .path = asked_path(call) };
	struct stat_answer answer = { .call = call, .status = status, .size = 120 };
	PATH_BODY(WIRE_STATFS_BYTES);
	int length = wire_pack_statfs(&message, body, sizeof(body));

	return ask(call, WIRE_STATFS, body, length, unpack_statfs, &answer);
}

int files_unpack_access(void *context, const unsigned char *from, size_t length)
{
	struct wire_access_reply reply;

	if (wire_unpack_access_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(context, reply.where, reply.path);
	return 0;
}

bool files_access(struct files_call *call, int mode, int flags)
{
	struct wire_access message = { .dir = call->dir, .mode = (uint32_t)mode, .flags = (uint32_t)flags };
	PATH_BODY(WIRE_ACCESS_BYTES);

	message.path = asked_path(call);
	return ask(call, WIRE_ACCESS, body, wire_pack_access(&message, body, sizeof(body)), files_unpack_access,
		   call);
}

struct link_answer {
	struct files_call *call;
	char *into;
	size_t size;
};

static int unpack_link(void *context, const unsigned char *from, size_t length)
{
	struct link_answer *answer = context;
	struct wire_read_link_reply reply;

	if (wire_unpack_read_link_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(answer->call, reply.where, reply.path);
	if (reply.where == FILES_LOCAL)
		return 0;
	answer->call->result = (long)(reply.target.length < answer->size ? reply.target.length : answer->size);
	memcpy(answer->into, reply.target.start, (size_t)answer->call->result);
	return 0;
}

bool files_read_link(struct files_call *call, char *into, size_t size)
{
	struct wire_read_link message = { .dir = call->dir, .path = asked_path(call) };
	struct link_answer answer = { .call = call, .into = into, .size = size };
	PATH_BODY(WIRE_READ_LINK_BYTES);
	int length = wire_pack_read_link(&message, body, sizeof(body));

	return ask(call, WIRE_READ_LINK, body, length, unpack_link, &answer);
}

static int unpack_change(void *context, const unsigned char *from, size_t length)
{
	struct wire_change_reply reply;

	if (wire_unpack_change_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(context, reply.where, reply.path);
	return 0;
}

bool files_change(struct files_call *call, enum wire_change_what what, int flags, const uint64_t arguments[4])
{
	struct wire_change message = {
		.what = (uint8_t)what,
		.dir = call->dir,
		.flags = (uint32_t)flags,
		.first = arguments[0],
		.second = arguments[1],
		.third = arguments[2],
		.fourth = arguments[3],
		.path = asked_path(call),
	};
	PATH_BODY(WIRE_CHANGE_BYTES);

	return ask(call, WIRE_CHANGE, body, wire_pack_change(&message, body, sizeof(body)), unpack_change, call);
}

uint64_t files_mode(mode_t mode)
{
	return mode & ~sys_umask() & 07777;
}
