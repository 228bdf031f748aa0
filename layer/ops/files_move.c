/*
 * The calls that take two paths (rename, link, symlink), and realpath, which takes a path apart.
 * The invariant: when one of the two paths may be the target's, the session decides about both; of a mix it says EXDEV,
 * on which programs copy.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys_files.h"
#include "cwd.h"
#include "files.h"

/* path_resolution(7) */
#define MOST_LINKS 40

struct move {
	enum wire_move_what what;
	int flags;
	struct files_call from, to;
};

/*
 * Fills in what is asked about a path that would be local by itself. Its absolute name, so that a rule of the session's
 * that rewrites paths sees it.
 */
static void ask_local(struct files_call *call)
{
	const char *path = call->path;
	char absolute[2 * PATH_MAX];
	int length = 0;

	call->dir = 0;
	call->length = 0;
	if (!path || !path[0]) {
		call->result = path ? -ENOENT : -EFAULT;
		return;
	}
	if (path[0] != '/') {
		length = call->dirfd == AT_FDCWD ? sys_working_folder(absolute, PATH_MAX) :
						   sys_descriptor_path(call->dirfd, absolute, PATH_MAX);
		if (length < 0 || length >= PATH_MAX) {
			call->result = length < 0 ? length : -ENAMETOOLONG;
			return;
		}
		absolute[length++] = '/';
	}
	if (strlen(path) >= PATH_MAX) {
		call->result = -ENAMETOOLONG;
		return;
	}
	strcpy(absolute + length, path);
	length = paths_normalise(absolute, call->text);
	call->result = length < 0 ? length : 0;
	call->length = length > 0 ? (uint32_t)length : 0;
}

static int unpack_move(void *context, const unsigned char *from, size_t length)
{
	struct move *move = context;
	struct wire_move_reply reply;

	if (wire_unpack_move_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(&move->from, reply.where, reply.from);
	files_local(&move->to, reply.where, reply.to);
	return 0;
}

static struct wire_run text(const struct files_call *call)
{
	return (struct wire_run){ .start = call->text, .length = call->length };
}

static int ask(struct move *move)
{
	struct wire_move message = {
		.what = (uint8_t)move->what,
		.from_dir = move->from.dir,
		.to_dir = move->to.dir,
		.flags = (uint32_t)move->flags,
		.from = text(&move->from),
		.to = text(&move->to),
	};
	unsigned char body[WIRE_MOVE_BYTES + 2 * PATH_MAX];
	struct link_ask question = { .kind = WIRE_MOVE, .body = body };
	int length = wire_pack_move(&message, body, sizeof(body));

	if (length < 0)
		return length;
	question.length = (size_t)length;
	return link_request(&question, unpack_move, move);
}

/* True: decided, *result is what the hook returns. False: libc gets dirfd and path of both. */
static bool moves(struct move *move, int from_dir, const char *from, int to_dir, const char *to, int *result)
{
	bool from_asks = files_asks(&move->from, from_dir, from), to_asks;
	int status;

	if (from_asks)
		guard_leave(move->from.saved, 0);
	to_asks = files_asks(&move->to, to_dir, to);
	if (!to_asks && (!from_asks || !guard_enter(&move->to.saved)))
		return false;
	if (!from_asks)
		ask_local(&move->from);
	if (!to_asks)
		ask_local(&move->to);
	status = (int)(move->from.result < 0 ? move->from.result : move->to.result);
	/* rename(2): neither is a name that could be changed. */
	if (status == 0 && move->what == WIRE_MOVE_RENAME && (paths_last_dots(from) || paths_last_dots(to)))
		status = -EBUSY;
	if (status == 0)
		status = ask(move);
	if (!files_decided(&move->to, status))
		return false;
	*result = (int)files_result(&move->to);
	return true;
}

int layer_rename(const char *from, const char *to)
{
	struct move move = { .what = WIRE_MOVE_RENAME };
	int result;

	return moves(&move, AT_FDCWD, from, AT_FDCWD, to, &result) ? result : next_rename(move.from.path, move.to.path);
}

int layer_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct move move = { .what = WIRE_MOVE_RENAME };
	int result;

	if (moves(&move, from_dir, from, to_dir, to, &result))
		return result;
	return next_renameat(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path);
}

int layer_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	struct move move = { .what = WIRE_MOVE_RENAME, .flags = (int)flags };
	int result;

	if (moves(&move, from_dir, from, to_dir, to, &result))
		return result;
	return next_renameat2(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path, flags);
}

int layer_link(const char *from, const char *to)
{
	struct move move = { .what = WIRE_MOVE_LINK };
	int result;

	return moves(&move, AT_FDCWD, from, AT_FDCWD, to, &result) ? result : next_link(move.from.path, move.to.path);
}

int layer_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	struct move move = { .what = WIRE_MOVE_LINK, .flags = flags };
	int result;

	if (moves(&move, from_dir, from, to_dir, to, &result))
		return result;
	return next_linkat(move.from.dirfd, move.from.path, move.to.dirfd, move.to.path, flags);
}

/* The link's text is taken as it is; only where the link stands matters. */
static bool links(struct move *move, const char *target, int dirfd, const char *path, int *result)
{
	size_t length;

	if (!files_asks(&move->to, dirfd, path))
		return false;
	length = target ? strlen(target) : 0;
	move->from.dir = 0;
	move->from.where = FILES_REMOTE;
	move->from.path = target;
	if (length >= PATH_MAX) {
		move->to.result = -ENAMETOOLONG;
	} else if (move->to.result == 0) {
		memcpy(move->from.text, target, length);
		move->from.length = (uint32_t)length;
		move->to.result = ask(move);
	}
	if (!files_decided(&move->to, move->to.result))
		return false;
	*result = (int)files_result(&move->to);
	return true;
}

int layer_symlink(const char *target, const char *path)
{
	struct move move = { .what = WIRE_MOVE_SYMLINK };
	int result;

	return links(&move, target, AT_FDCWD, path, &result) ? result : next_symlink(target, move.to.path);
}

int layer_symlinkat(const char *target, int dirfd, const char *path)
{
	struct move move = { .what = WIRE_MOVE_SYMLINK };
	int result;

	if (links(&move, target, dirfd, path, &result))
		return result;
	return next_symlinkat(target, move.to.dirfd, move.to.path);
}

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

/*
 * Walks `rest` from the root, link by link. What cannot be read is taken for a plain component: whether all of it is there,
 * the caller finds out. 0 or -errno.
 */
static int walk(char *rest, char *into)
{
	char target[PATH_MAX];
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
		found = length > before ? layer_readlink(into, target, sizeof(target) - 1) : -1;
		if (found < 0)
			continue;
		if (++links > MOST_LINKS)
			return -ELOOP;
		if (!follow(rest, target, (size_t)found))
			return -ENAMETOOLONG;
		length = found > 0 && target[0] == '/' ? 0 : before;
		into[length] = 0;
	}
	if (length == 0)
		strcpy(into, "/");
	return 0;
}

/* Is the path one whose components are to be asked about? Leaves no guard. */
static bool is_asked(struct files_call *call, const char *path)
{
	call->path = path;
	if (!path || path[0] != '/' || !files_asks(call, AT_FDCWD, path))
		return false;
	guard_leave(call->saved, 0);
	return !call->described;
}

char *layer_realpath(const char *path, char *resolved)
{
	char rest[PATH_MAX], found[PATH_MAX], whole[PATH_MAX];
	int saved = errno, status;
	struct files_call call;
	char *into = resolved;

	if (path && !(path = cwd_absolute(path, whole)))
		return NULL;
	if (!is_asked(&call, path))
		return next_realpath(call.path, resolved);
	status = strlen(path) < sizeof(rest) ? 0 : -ENAMETOOLONG;
	if (status == 0) {
		strcpy(rest, path);
		status = walk(rest, found);
	}
	if (status < 0) {
		errno = -status;
		return NULL;
	}
	if (layer_access(found, F_OK) < 0)
		return NULL;
	if (!into)
		into = malloc(strlen(found) + 1); /* freed by the app: realpath(3) */
	if (!into)
		return NULL;
	strcpy(into, found);
	errno = saved;
	return into;
}

char *layer_canonicalize_file_name(const char *path)
{
	struct files_call call;

	if (is_asked(&call, path) || (path && cwd_base()))
		return layer_realpath(path, NULL);
	return next_canonicalize_file_name(call.path);
}

char *layer___realpath_chk(const char *path, char *resolved, size_t size)
{
	return size < PATH_MAX ? next___realpath_chk(path, resolved, size) : layer_realpath(path, resolved);
}
