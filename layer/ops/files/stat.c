/*
 * stat and its family, access, readlink, statfs. A whole file in memory answers with the target's status from
 * its open; for a file that the session keeps open the target is asked each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "stat.h"

/* The magic number of a network file system, unlike a disk's. */
#define BLOCK_BYTES (128u * 1024u)

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

static int take_stat(void *context, const void *from)
{
	const struct wire_stat_reply *reply = from;

	return take_status(context, reply->where, reply->path, reply->status);
}

static struct verdict ask_stat(struct files_call *call, int flags, struct files_status *status)
{
	struct wire_stat message = {
		.dir = call->dir, .flags = numbers_at(flags & AT_SYMLINK_NOFOLLOW), .path = files_text(call)
	};
	struct stat_answer answer = { .call = call, .status = status, .size = sizeof(*status) };

	return files_question(call, ASK_TAKE(stat, &message, take_stat, &answer));
}

static int take_statfs(void *context, const void *from)
{
	const struct wire_statfs_reply *reply = from;

	return take_status(context, reply->where, reply->path, reply->status);
}

static struct verdict ask_statfs(struct files_call *call, void *status)
{
	struct wire_statfs message = { .dir = call->dir, .path = files_text(call) };
	struct stat_answer answer = { .call = call, .status = status, .size = WIRE_FILE_SYSTEM_BYTES };

	return files_question(call, ASK_TAKE(statfs, &message, take_statfs, &answer));
}

static int take_access(void *context, const void *from)
{
	const struct wire_access_reply *reply = from;

	files_local(context, reply->where, reply->path);
	return 0;
}

static struct verdict ask_access(struct files_call *call, int mode, int flags)
{
	struct wire_access message = {
		.dir = call->dir, .mode = (uint32_t)mode, .flags = numbers_at(flags), .path = files_text(call)
	};

	return files_question(call, ASK_TAKE(access, &message, take_access, call));
}

struct link_answer {
	struct files_call *call;
	char *into;
	size_t size;
};

static int take_link(void *context, const void *from)
{
	struct link_answer *answer = context;
	const struct wire_read_link_reply *reply = from;

	files_local(answer->call, reply->where, reply->path);
	if (reply->where == FILES_LOCAL)
		return 0;
	answer->call->result = (long)(reply->target.length < answer->size ? reply->target.length : answer->size);
	memcpy(answer->into, reply->target.start, (size_t)answer->call->result);
	return 0;
}

static struct verdict ask_read_link(struct files_call *call, char *into, size_t size)
{
	struct wire_read_link message = { .dir = call->dir, .path = files_text(call) };
	struct link_answer answer = { .call = call, .into = into, .size = size };

	return files_question(call, ASK_TAKE(read_link, &message, take_link, &answer));
}

static struct timespec moment(const struct files_time *time)
{
	return (struct timespec){ .tv_sec = time->seconds, .tv_nsec = time->nanoseconds };
}

static void fill(struct stat *into, const struct files_status *from)
{
	memset(into, 0, sizeof(*into));
	into->st_dev = numbers_device(from->dev_major, from->dev_minor);
	into->st_ino = from->ino;
	into->st_mode = from->mode;
	into->st_nlink = from->nlink;
	into->st_uid = from->uid;
	into->st_gid = from->gid;
	into->st_rdev = numbers_device(from->rdev_major, from->rdev_minor);
	into->st_size = (off_t)from->size;
	into->st_blksize = (blksize_t)from->blksize;
	into->st_blocks = (blkcnt_t)from->blocks;
	into->st_atim = moment(&from->atime);
	into->st_mtim = moment(&from->mtime);
	into->st_ctim = moment(&from->ctime);
}

static struct verdict stat_open(const struct fds_handle *open, struct files_status *status)
{
	long result;

	if (open->note.state == FDS_WHOLE) {
		memcpy(status, open->note.file.stat, sizeof(*status));
		return verdict_result(0);
	}
	if (open->note.state != FDS_FILE)
		return verdict_libc();
	result = files_fstat(&open->note.file, status);
	/* Programs read in steps of it; each is a question. */
	if (result == 0 && status->blksize < BLOCK_BYTES)
		status->blksize = BLOCK_BYTES;
	return verdict_result(result);
}

struct verdict stat_path(struct files_call *call, int flags, struct files_status *status)
{
	struct fds_handle open;

	if (call->about == FILES_ITSELF)
		return fds_find(call->fd, &open) ? stat_open(&open, status) : verdict_libc();
	return files_asked(call) ? ask_stat(call, flags, status) : verdict_libc();
}

static struct verdict as_libc(struct verdict verdict, struct stat *into, const struct files_status *status)
{
	if (verdict.kind == VERDICT_VALUE)
		fill(into, status);
	return verdict;
}

struct verdict stat_path_as(struct files_call *call, int flags, struct stat *into)
{
	struct files_status status;

	return as_libc(stat_path(call, flags, &status), into, &status);
}

struct verdict stat_open_as(const struct fds_handle *open, struct stat *into)
{
	struct files_status status;

	return as_libc(stat_open(open, &status), into, &status);
}

struct verdict stat_access(struct files_call *call, int mode, int flags)
{
	return files_asked(call) ? ask_access(call, mode, flags) : verdict_libc();
}

struct verdict stat_read_link(struct files_call *call, char *into, size_t size)
{
	return files_asked(call) ? ask_read_link(call, into, size) : verdict_libc();
}

struct verdict stat_file_system(struct files_call *call, void *into)
{
	return files_asked(call) ? ask_statfs(call, into) : verdict_libc();
}
