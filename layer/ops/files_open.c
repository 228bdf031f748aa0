/*
 * open and its family. A small file that is opened for reading comes whole in the answer and becomes a file in memory: the
 * kernel reads, seeks and maps it, and no further hook has a part in it. What else is the target's becomes a descriptor
 * of remote.c.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../sys_files.h"
#include "files.h"

/* Flags of open(2) that differ between machines (asm/fcntl.h); the wire has those of x86_64. */
#define WIRE_O_DIRECT 040000u
#define WIRE_O_LARGEFILE 0100000u
#define WIRE_O_DIRECTORY 0200000u
#define WIRE_O_NOFOLLOW 0400000u

/* fcntl.h defines O_LARGEFILE as 0 on 64-bit machines; these are the kernel's. */
#if defined(__aarch64__)
#define KERNEL_O_LARGEFILE 0400000u
#else
#define KERNEL_O_LARGEFILE WIRE_O_LARGEFILE
#endif

static uint32_t wire_flags(int flags)
{
	const uint32_t differing[4][2] = {
		{ O_DIRECT, WIRE_O_DIRECT },
		{ KERNEL_O_LARGEFILE, WIRE_O_LARGEFILE },
		{ O_DIRECTORY, WIRE_O_DIRECTORY },
		{ O_NOFOLLOW, WIRE_O_NOFOLLOW },
	};
	uint32_t from = (uint32_t)flags, result = from;

	for (int i = 0; i < 4; i++)
		result &= ~differing[i][0];
	for (int i = 0; i < 4; i++)
		if (from & differing[i][0])
			result |= differing[i][1];
	return result;
}

struct open_answer {
	struct files_call *call;
	int flags;
	struct fds_note note; /* state FDS_LOCAL: nothing is open */
	struct files_page *page; /* wanted for a folder; may be NULL */
};

/* The file in memory. Its descriptor is the call's result. */
static int keep_whole(struct open_answer *answer, const struct wire_run *content, const struct files_status *status)
{
	const struct sys_looks looks = {
		.mode = status->mode,
		.times = { status->atime.seconds, status->atime.nanoseconds, status->mtime.seconds,
			   status->mtime.nanoseconds },
	};
	int fd = sys_memory_file(answer->call->text), failed;

	if (fd < 0)
		return fd;
	failed = sys_fill(fd, content->start, content->length, 0);
	if (failed == 0)
		failed = sys_seal(fd, answer->flags & O_CLOEXEC, answer->flags & O_NONBLOCK, &looks);
	if (failed < 0) {
		sys_close(fd);
		return failed;
	}
	answer->note.state = FDS_WHOLE;
	memcpy(answer->note.file.stat, status, sizeof(*status));
	answer->call->result = fd;
	return 0;
}

static int unpack_open(void *context, const unsigned char *from, size_t length)
{
	struct open_answer *answer = context;
	struct wire_open_reply reply;
	struct files_status status;

	if (wire_unpack_open_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(answer->call, reply.where, reply.path);
	if (reply.where == FILES_LOCAL)
		return 0;
	if (reply.status.length != sizeof(status))
		return -EIO;
	memcpy(&status, reply.status.start, sizeof(status));
	answer->note.file.kind = status.mode & S_IFMT;
	answer->note.file.flags = (uint32_t)answer->flags;
	answer->note.file.id = reply.file;
	if (reply.where == FILES_WHOLE)
		return keep_whole(answer, &reply.content, &status);
	answer->note.state = FDS_FILE;
	if (answer->page && reply.content.length <= sizeof(answer->page->bytes)) {
		answer->page->end = reply.end;
		answer->page->length = reply.content.length;
		memcpy(answer->page->bytes, reply.content.start, reply.content.length);
	}
	return 0;
}

static int ask(struct open_answer *answer, mode_t mode)
{
	struct files_call *call = answer->call;
	struct wire_open message = { .dir = call->dir, .flags = wire_flags(answer->flags) };
	unsigned char body[WIRE_OPEN_BYTES + PATH_MAX];
	struct link_ask question = { .kind = WIRE_OPEN, .body = body };
	int length;

	if (call->result < 0)
		return (int)call->result;
	message.path = (struct wire_run){ .start = call->text, .length = call->length };
	if (answer->flags & (O_CREAT | O_TMPFILE))
		message.mode = (uint32_t)files_mode(mode);
	length = wire_pack_open(&message, body, sizeof(body));
	if (length < 0)
		return length;
	question.length = (size_t)length;
	return link_request(&question, unpack_open, answer);
}

bool files_open_at(struct files_call *call, int flags, mode_t mode)
{
	struct open_answer answer = { .call = call, .flags = flags };
	int status;

	/* /dev/fd/N of a remote file: another descriptor of it. */
	if (call->described && call->length == 0 && call->result == 0) {
		int fd = paths_descriptor(call->path), copy = sys_dup(fd, flags & O_CLOEXEC);

		if (copy >= 0)
			fds_copy(fd, copy);
		return files_decided(call, copy);
	}
	status = ask(&answer, mode);
	if (status == 0 && call->where == FILES_WHOLE)
		fds_put((int)call->result, &answer.note);
	else if (status == 0 && call->where == FILES_REMOTE)
		call->result = status = files_hold(&answer.note.file);
	return files_decided(call, status < 0 ? status : call->result);
}

bool files_open_folder(struct files_call *call, struct fds_file *file, struct files_page *page)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC;
	struct open_answer answer = { .call = call, .flags = flags, .page = page };
	int status = ask(&answer, 0);

	if (status == 0 && call->where == FILES_REMOTE)
		*file = answer.note.file;
	return files_decided(call, status);
}

static int open_at(struct files_call *call, int dirfd, const char *path, int flags, mode_t mode)
{
	if (files_asks(call, dirfd, path) && files_open_at(call, flags, mode))
		return (int)files_result(call);
	return -2;
}

int layer_open(const char *path, int flags, mode_t mode)
{
	struct files_call call;
	int fd = open_at(&call, AT_FDCWD, path, flags, mode);

	return fd == -2 ? next_open(call.path, flags, mode) : fd;
}

int layer_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	struct files_call call;
	int fd = open_at(&call, dirfd, path, flags, mode);

	return fd == -2 ? next_openat(call.dirfd, call.path, flags, mode) : fd;
}

int layer_creat(const char *path, mode_t mode)
{
	return layer_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* What _FORTIFY_SOURCE makes of an open without a mode. */
int layer___open_2(const char *path, int flags)
{
	struct files_call call;
	int fd = open_at(&call, AT_FDCWD, path, flags, 0);

	return fd == -2 ? next___open_2(call.path, flags) : fd;
}

int layer___openat_2(int dirfd, const char *path, int flags)
{
	struct files_call call;
	int fd = open_at(&call, dirfd, path, flags, 0);

	return fd == -2 ? next___openat_2(call.dirfd, call.path, flags) : fd;
}
