/*
 * open and its family. A small file that is opened for reading comes whole in the answer and becomes a file
 * in memory: the kernel reads, seeks and maps it, and no further hook is involved. Every other file of the
 * target becomes a descriptor of remote.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "open.h"

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

static int take_open(void *context, const void *from)
{
	struct open_answer *answer = context;
	const struct wire_open_reply *reply = from;
	struct files_status status;

	files_local(answer->call, reply->where, reply->path);
	if (reply->where == FILES_LOCAL)
		return 0;
	if (reply->status.length != sizeof(status))
		return -EIO;
	memcpy(&status, reply->status.start, sizeof(status));
	answer->note.file.kind = status.mode & S_IFMT;
	answer->note.file.flags = (uint32_t)answer->flags;
	answer->note.file.id = reply->file;
	if (reply->where == FILES_WHOLE)
		return keep_whole(answer, &reply->content, &status);
	answer->note.state = FDS_FILE;
	if (answer->page && reply->content.length <= sizeof(answer->page->bytes)) {
		answer->page->end = reply->end;
		answer->page->length = reply->content.length;
		memcpy(answer->page->bytes, reply->content.start, reply->content.length);
	}
	return 0;
}

static int ask(struct open_answer *answer, mode_t mode)
{
	struct files_call *call = answer->call;
	struct wire_open message = {
		.dir = call->dir, .flags = numbers_open(answer->flags), .path = files_text(call)
	};

	if (call->result < 0)
		return (int)call->result;
	if (answer->flags & (O_CREAT | O_TMPFILE))
		message.mode = (uint32_t)files_mode(mode);
	return ask_now(ASK_TAKE(open, &message, take_open, answer));
}

struct verdict open_path(struct files_call *call, int flags, mode_t mode)
{
	struct open_answer answer = { .call = call, .flags = flags };
	int status;

	if (!files_asked(call))
		return verdict_libc();
	/* /dev/fd/N of a remote file: another descriptor of it. */
	if (call->about == FILES_NAMED) {
		int copy = sys_dup(call->fd, flags & O_CLOEXEC);

		if (copy >= 0)
			fds_copy(call->fd, copy);
		return verdict_descriptor(copy);
	}
	status = ask(&answer, mode);
	if (status == 0 && call->where == FILES_WHOLE)
		fds_put((int)call->result, &answer.note);
	else if (status == 0 && call->where == FILES_REMOTE)
		call->result = status = files_hold(&answer.note.file);
	if (status >= 0 && call->where != FILES_LOCAL)
		return verdict_descriptor(call->result);
	return files_verdict(call, status);
}

struct verdict open_folder(struct files_call *call, struct fds_file *file, struct files_page *page)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC;
	struct open_answer answer = { .call = call, .flags = flags, .page = page };
	int status = ask(&answer, 0);

	if (status == 0 && call->where == FILES_REMOTE)
		*file = answer.note.file;
	return files_verdict(call, status);
}
