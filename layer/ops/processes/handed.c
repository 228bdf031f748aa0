/*
 * The processes at the other end of the app's Unix sockets: some clients hand their work to a process that
 * ran before and is not in the session (tmux, pm2, Docker's). Each such process is reported to the session
 * once, and the session knows which are of that kind. Called by outgoing.c.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "handed.h"

/* Processes that are remembered as reported; one that falls out is reported again. */
#define TOLD 16

static _Atomic(pid_t) told[TOLD];

static bool is_new(pid_t process)
{
	static _Atomic(uint32_t) next;

	for (size_t i = 0; i < TOLD; i++)
		if (atomic_load_explicit(&told[i], memory_order_relaxed) == process)
			return false;
	atomic_store_explicit(&told[atomic_fetch_add(&next, 1) % TOLD], process, memory_order_relaxed);
	return true;
}

bool handed_concerns(const struct sockaddr *address, socklen_t length)
{
	return address && length > offsetof(struct sockaddr_un, sun_path) && address->sa_family == AF_UNIX;
}

void handed_met(int fd, const struct sockaddr *address, socklen_t length)
{
	const struct sockaddr_un *name = (const void *)address;
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	struct wire_handed message = { .path = { .start = "" } };
	pid_t process = sys_peer_process(fd);

	if (process <= 0 || process == sys_getpid() || !is_new(process))
		return;
	message.process = (uint32_t)process;
	message.path.start = name->sun_path;
	message.path.length = (uint32_t)strnlen(name->sun_path, length - start);
	ask_tell(ASK_TELL(handed, &message));
}
