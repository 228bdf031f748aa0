/*
 * The calls that take two paths: rename, link, symlink. Called by the edges.
 * The invariant: when one of the two paths may be the target's, the session decides about both; for a mix it
 * answers EXDEV, after which programs copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "../../sys/sys_files.h"
#include "move.h"

/*
 * Fills in what is asked about a path that would be local by itself. Its absolute name, so that a rule of the
 * session's that rewrites paths sees it.
 */
static void ask_local(struct files_call *call)
{
	const char *path = call->path;
	int length = 0;

	call->dir = 0;
	call->length = 0;
	if (!path || !path[0]) {
		call->result = path ? -ENOENT : -EFAULT;
		return;
	}
	if (path != call->text) {
		if (path[0] != '/')
			length = call->dirfd == AT_FDCWD ? sys_working_folder(call->text, PATH_MAX) :
							   sys_descriptor_path(call->dirfd, call->text, PATH_MAX);
		if (length < 0 || (size_t)length + strlen(path) + 2 > PATH_MAX) {
			call->result = length < 0 ? length : -ENAMETOOLONG;
			return;
		}
		if (path[0] != '/')
			call->text[length++] = '/';
		strcpy(call->text + length, path);
	}
	length = paths_normalise(call->text, call->text);
	call->result = length < 0 ? length : 0;
	call->length = length > 0 ? (uint32_t)length : 0;
}

static int take_move(void *context, const void *from)
{
	struct move *move = context;
	const struct wire_move_reply *reply = from;

	files_local(&move->from, reply->where, reply->from);
	files_local(&move->to, reply->where, reply->to);
	return 0;
}

static int ask(struct move *move)
{
	struct wire_move message = {
		.what = (uint8_t)move->what,
		.from_dir = move->from.dir,
		.to_dir = move->to.dir,
		.flags = move->what == WIRE_MOVE_LINK ? numbers_at(move->flags) : (uint32_t)move->flags,
		.from = files_text(&move->from),
		.to = files_text(&move->to),
	};

	return ask_now(ASK_TAKE(move, &message, take_move, move));
}

bool move_prepare(struct move *move, int from_dir, const char *from, int to_dir, const char *to)
{
	move->from_may = files_prepare(&move->from, from_dir, from);
	move->to_may = files_prepare(&move->to, to_dir, to);
	return move->from_may || move->to_may;
}

struct verdict move_paths(struct move *move, const char *from, const char *to)
{
	bool from_asks = move->from_may && files_asked(&move->from), to_asks = move->to_may && files_asked(&move->to);
	int status;

	if (!from_asks && !to_asks)
		return verdict_libc();
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
	return files_verdict(&move->to, status);
}

bool move_prepare_link(struct move *move, int dirfd, const char *path)
{
	return files_prepare(&move->to, dirfd, path);
}

struct verdict move_link(struct move *move, const char *target)
{
	size_t length = target ? strlen(target) : 0;
	int status;

	if (!files_asked(&move->to))
		return verdict_libc();
	move->from.dir = 0;
	move->from.where = FILES_REMOTE;
	move->from.path = target;
	status = length < PATH_MAX ? (int)move->to.result : -ENAMETOOLONG;
	if (status == 0) {
		if (length > 0)
			memcpy(move->from.text, target, length);
		move->from.length = (uint32_t)length;
		status = ask(move);
	}
	return files_verdict(&move->to, status);
}
