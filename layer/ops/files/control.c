/*
 * Other calls on an open file: status flags, locks, event queues.
 * The invariant: what is not transferred is refused with the errno that file systems without it give, so that
 * programs use their fallback; it never happens to a local file instead.
 */
#include <errno.h>
#include <fcntl.h>

#include "../../link/ask.h"
#include "../../sys/numbers.h"
#include "../../sys/sys_files.h"
#include "control.h"

/* asm-generic/fcntl.h */
#define OFD_GETLK 36
#define OFD_SETLK 37
#define OFD_SETLKW 38
/* All copies of a descriptor share these, also over exec: they are the socket's own. */
#define SHARED (O_APPEND | O_NONBLOCK)
#define SETTABLE (O_DIRECT | O_NOATIME)
#define NOT_SHOWN (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

static long shared(int fd)
{
	long flags = sys_fcntl(fd, F_GETFL, 0);

	return flags < 0 ? 0 : flags & SHARED;
}

/* Where the next write goes is the target's business. 0 or -errno. */
static long set_shared(const struct fds_handle *open, long flags)
{
	struct wire_change message = {
		.what = WIRE_CHANGE_FLAGS,
		.dir = open->note.file.id,
		.first = numbers_open((int)(flags & O_APPEND)),
	};
	int status = 0;

	if ((shared(open->fd) ^ flags) & O_APPEND)
		status = ask_now(ASK_TELL(change, &message));
	if (status == 0)
		sys_fcntl(open->fd, F_SETFL, flags & SHARED);
	return status;
}

struct verdict file_fcntl(struct fds_handle *open, int command, long argument)
{
	uint32_t *flags = &open->note.file.flags;

	switch (command) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case OFD_GETLK:
	case OFD_SETLK:
	case OFD_SETLKW:
		return file_lock();
	case F_GETFL:
		return verdict_result((long)((*flags & ~(uint32_t)(NOT_SHOWN | SHARED)) | NUMBERS_SHOWN_LARGEFILE) | shared(open->fd));
	case F_SETFL:
		*flags = (*flags & ~(uint32_t)SETTABLE) | ((uint32_t)argument & SETTABLE);
		fds_save(open);
		return verdict_result(set_shared(open, argument));
	default:
		return verdict_libc();
	}
}

struct verdict file_lock(void)
{
	return verdict_result(-ENOLCK);
}

/* A regular file does not support epoll_ctl(2). */
struct verdict file_queue(void)
{
	return verdict_result(-EPERM);
}
