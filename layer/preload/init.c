/*
 * Starts the layer in a process: on load, or with the first hook when another library's constructor calls one
 * before. Opens no link: a process that never binds, listens or accepts must stay cheap (a build has thousands).
 * The invariant: nothing here fails the app. Without a session the layer stays inert.
 */
#include <errno.h>
#include <stdatomic.h>

#include "../config.h"
#include "../guard.h"
#include "../link.h"
#include "../program.h"
#include "../ops/cwd.h"
#include "../ops/descriptors.h"
#include "../ops/files.h"
#include "../sys.h"
#include "../way.h"

enum { FRESH, STARTING, INERT, SKIPPED, ACTIVE };

static _Atomic(int) stage;
_Thread_local bool guard_inside;

/*
 * A fork child has its own link from the first message on. A child of root may be about to give up its rights (a
 * server's workers do), and with /proc out of reach way.c knows no way then: where its parent had something to say, it
 * connects now.
 */
static void forked(void)
{
	if (link_forked() && sys_is_root())
		link_floor(LINK_INCOMING);
}

/* By the name of its file or by the name that it was called by (program_invocation_name(3)). */
static bool is_skipped(void)
{
	char path[PROGRAM_PATH_BYTES];
	int length = sys_executable(path, sizeof(path) - 1);

	path[length] = 0;
	return config_skips(program_name(path)) ||
	       (program_invocation_name && config_skips(program_name(program_invocation_name)));
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
		way_open(config_socket());
		fds_lost = descriptors_ended;
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

__attribute__((constructor)) static void loaded(void)
{
	pid_t session;

	if (!guard_session())
		return;
	files_adopt();
	session = config_session();
	if (session > 1 && sys_getppid() == session)
		sys_die_with(session);
}
