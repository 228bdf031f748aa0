/*
 * The guard of operations, and the start of the layer in a process: on load, or with the first hook when
 * another library's constructor calls one before. Opens no link but for a container's first process: one
 * that never binds, listens or accepts must stay cheap (a build has thousands). The invariant: nothing here
 * makes the app fail. Without a session the layer does nothing.
 */
#include <errno.h>
#include <stdatomic.h>

#include "../link/ask.h"
#include "../link/config.h"
#include "guard.h"
#include "streams.h"
#include "../link/link.h"
#include "../sys/program.h"
#include "../ops/files/cwd.h"
#include "../ops/descriptors.h"
#include "../ops/files/files.h"
#include "../sys/sys.h"
#include "../link/way.h"

enum { FRESH, STARTING, INERT, SKIPPED, ACTIVE };

static _Atomic(int) stage;
_Thread_local bool guard_inside;

static bool set_inside(bool inside)
{
	bool before = guard_inside;

	guard_inside = inside;
	return before;
}

/*
 * A fork child has its own link from the first message on. A child of root may be about to give up its rights
 * (a server's workers do), and without /proc it has no way to the session then (way.c): where its parent had
 * a link, it connects now.
 */
static void forked(void)
{
	if (link_forked() && sys_is_root())
		ask_floor(LINK_INCOMING);
}

/* By the name of its file or by the name that it was called by (program_called_as()). */
static bool is_skipped(void)
{
	char path[PROGRAM_PATH_BYTES];
	const char *called = program_called_as();
	int length = sys_executable(path, sizeof(path) - 1);

	path[length] = 0;
	return config_skips(program_name(path)) ||
	       (called && config_skips(program_name(called)));
}

static void lead_streams(void)
{
	streams_lead();
}

static int start(void)
{
	int seen = FRESH, next = INERT;

	if (!atomic_compare_exchange_strong(&stage, &seen, STARTING))
		return seen;
	if (!config_read()) {
		next = INERT;
	} else if (is_skipped()) {
		next = SKIPPED;
	} else if (link_start()) {
		ask_set_inside = set_inside;
		way_open(config_socket());
		fds_lost = descriptors_ended;
		files_first = lead_streams;
		sys_at_fork(link_forking, link_forked_parent, forked);
		cwd_adopt();
		next = ACTIVE;
	}
	atomic_store(&stage, next);
	return next;
}

/* While another thread starts the layer, calls go through: only constructors run that early. */
static int now(void)
{
	int seen = atomic_load_explicit(&stage, memory_order_acquire);

	return seen == FRESH ? start() : seen;
}

bool guard_active(void)
{
	return now() == ACTIVE;
}

bool guard_session(void)
{
	return now() >= SKIPPED;
}

bool guard_enter(int *saved_errno)
{
	if (guard_inside || !guard_active() || !link_owns())
		return false;
	guard_inside = true;
	*saved_errno = errno;
	return true;
}

int guard_leave(int saved_errno, int result)
{
	guard_inside = false;
	errno = result < 0 ? -result : saved_errno;
	return result < 0 ? -1 : result;
}

bool guard_decided(int saved_errno, struct verdict verdict, long *value)
{
	guard_inside = false;
	errno = verdict.kind == VERDICT_ERROR ? (int)verdict.value : saved_errno;
	*value = verdict.kind == VERDICT_ERROR ? -1 : verdict.value;
	return verdict.kind != VERDICT_LIBC;
}

__attribute__((constructor)) static void loaded(void)
{
	pid_t session;

	if (!guard_session())
		return;
	files_adopt();
	session = config_session();
	if (session > 1 && sys_getppid() == session)
		sys_die_with(session);
	/* What a container begins with, or its init: the session hears that the layer is in it. */
	if (session == 0 && sys_getppid() <= 1)
		ask_floor(LINK_INCOMING);
}
