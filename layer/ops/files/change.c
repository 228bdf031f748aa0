/*
 * The calls that change one file: mkdir, mknod, unlink, chmod, chown, utimes, truncate, fsync and their
 * relatives. By path, or by a descriptor of a remote file. A whole file in memory is changed under the path
 * that it was opened by.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "change.h"

/* linux/stat.h: UTIME_NOW */
#define NOW ((1l << 30) - 1l)
/* "Leave it as it is", for chown(2). */
#define SAME_OWNER 0xffffffffu

/* What a change is to be; the meaning of the arguments is its own. */
struct change {
	enum wire_change_what what;
	uint64_t arguments[4];
};

static int take_change(void *context, const void *from)
{
	const struct wire_change_reply *reply = from;

	files_local(context, reply->where, reply->path);
	return 0;
}

static struct verdict ask(struct files_call *call, const struct change *change, int flags)
{
	struct wire_change message = {
		.what = (uint8_t)change->what,
		.dir = call->dir,
		.flags = numbers_at(flags),
		.first = change->arguments[0],
		.second = change->arguments[1],
		.third = change->arguments[2],
		.fourth = change->arguments[3],
		.path = files_text(call),
	};

	return files_question(call, ASK_TAKE(change, &message, take_change, call));
}

static struct verdict by_path(struct files_call *call, struct change change, int flags)
{
	if (!files_asked(call))
		return verdict_libc();
	return ask(call, &change, flags & ~AT_EMPTY_PATH);
}

static struct verdict by_descriptor(const struct fds_handle *open, struct change change)
{
	struct files_call call;
	int length;

	if (open->note.state == FDS_FILE) {
		files_about_open(&call, open);
		return ask(&call, &change, 0);
	}
	if (open->note.state != FDS_WHOLE)
		return verdict_libc();
	length = files_whole_path(open->fd, call.text);
	if (length < 0)
		return verdict_result(length);
	/* Local only if the path is local; then it was local when the file was opened, too. */
	return files_prepare(&call, AT_FDCWD, call.text) ? by_path(&call, change, 0) : verdict_libc();
}

struct verdict change_make_folder(struct files_call *call, mode_t mode)
{
	return by_path(call, (struct change){ WIRE_CHANGE_MKDIR, { files_mode(mode) } }, 0);
}

struct verdict change_make_node(struct files_call *call, mode_t mode, dev_t device)
{
	return by_path(call, (struct change){ WIRE_CHANGE_MKNOD, { (mode & S_IFMT) | files_mode(mode), numbers_wire_device(device) } }, 0);
}

struct verdict change_remove(struct files_call *call, const char *given, bool folder)
{
	/* rmdir(2): what the normal form of the path does not show any more. */
	static const int refused[] = { 0, -EINVAL, -ENOTEMPTY };
	const struct change removal = { .what = WIRE_CHANGE_REMOVE };

	if (!files_asked(call))
		return verdict_libc();
	if (folder && call->result == 0)
		call->result = refused[paths_last_dots(given)];
	return ask(call, &removal, folder ? AT_REMOVEDIR : 0);
}

struct verdict change_remove_any(struct files_call *call, const char *given)
{
	struct verdict verdict = change_remove(call, given, false);

	return verdict.kind == VERDICT_ERROR && verdict.value == EISDIR ? change_remove(call, given, true) : verdict;
}

static struct change of_mode(mode_t mode)
{
	return (struct change){ WIRE_CHANGE_CHMOD, { mode } };
}

struct verdict change_mode(struct files_call *call, mode_t mode, int flags)
{
	return by_path(call, of_mode(mode), flags);
}

struct verdict change_mode_of(const struct fds_handle *open, mode_t mode)
{
	return by_descriptor(open, of_mode(mode));
}

static struct change of_owner(uid_t user, gid_t group)
{
	return (struct change){ WIRE_CHANGE_CHOWN, { user & SAME_OWNER, group & SAME_OWNER } };
}

struct verdict change_owner(struct files_call *call, uid_t user, gid_t group, int flags)
{
	return by_path(call, of_owner(user, group), flags);
}

struct verdict change_owner_of(const struct fds_handle *open, uid_t user, gid_t group)
{
	return by_descriptor(open, of_owner(user, group));
}

static struct change of_times(const struct timespec *times)
{
	if (!times)
		return (struct change){ WIRE_CHANGE_UTIMENS, { 0, NOW, 0, NOW } };
	return (struct change){ WIRE_CHANGE_UTIMENS,
				{ (uint64_t)times[0].tv_sec, numbers_nanoseconds(times[0].tv_nsec),
				  (uint64_t)times[1].tv_sec, numbers_nanoseconds(times[1].tv_nsec) } };
}

struct verdict change_times(struct files_call *call, const struct timespec *times, int flags)
{
	return by_path(call, of_times(times), flags);
}

struct verdict change_times_of(const struct fds_handle *open, const struct timespec *times)
{
	return by_descriptor(open, of_times(times));
}

static struct change of_length(off_t length)
{
	return (struct change){ WIRE_CHANGE_TRUNCATE, { (uint64_t)length } };
}

struct verdict change_length(struct files_call *call, off_t length)
{
	return by_path(call, of_length(length), 0);
}

static struct verdict by_remote(const struct fds_handle *open, struct change change)
{
	return open->note.state == FDS_FILE ? by_descriptor(open, change) : verdict_libc();
}

struct verdict change_length_of(const struct fds_handle *open, off_t length)
{
	return by_remote(open, of_length(length));
}

struct verdict change_sync_of(const struct fds_handle *open, bool content_only)
{
	return by_remote(open, (struct change){ WIRE_CHANGE_SYNC, { content_only } });
}

struct verdict change_allocate_of(const struct fds_handle *open, int mode, off_t offset, off_t length)
{
	return by_remote(open, (struct change){ WIRE_CHANGE_ALLOCATE,
					      { (uint64_t)mode, (uint64_t)offset, (uint64_t)length } });
}
