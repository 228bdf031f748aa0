/*
 * The questions about a path that several hooks share. Whether one is asked is in files_asks.c. Called by the other files*.c
 * and dirs.c.
 */
#include <fcntl.h>
#include <string.h>

#include "../sys_files.h"
#include "files.h"

#define PATH_BODY(name) unsigned char body[name + PATH_MAX]

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
