/*
 * The layer link: Unix stream connections between this process and its session. Called by ops/ only.
 *
 * Theory of operation
 *
 * Opening. The first question connects, sends hello and learns which floors are hooked. A process that asks
 * nothing never connects. Descriptors are close-on-exec and have high numbers, so that the app's own numbers
 * are the same as without the layer.
 *
 * Exchange (exchange.c). A thread takes a link (link.c), sends, reads the answer, gives it back: one
 * question at a time on a link, side by side on several, so a slow answer keeps only its own thread. An
 * answer has the question's kind and id; anything else means that the peer is not this session, and the
 * session is lost. Questions of one thread may go by different links; what must keep its order is therefore
 * answered (ask_tell() is for the rest).
 *
 * Signals. ask_now() blocks them: its answer comes at once. ask_patiently() lets them in while it waits, and
 * a handler's own calls are hooked, over another link. A thread that leaves before the answer came (a signal,
 * a timeout) abandons the link: it is used again when the late answer has been skipped. It is not closed,
 * since the session takes the end of a process's last link for the end of the process.
 *
 * Loss. Once lost, a session stays lost: every later request is -EIO, which the ops hand to the app for what
 * the session decides. The layer never acts locally instead. A new link is opened only if the app closed a
 * descriptor where no hook sees it (for example a raw close_range): its number may by now be a file of the
 * app, so every exchange first compares the socket's identity.
 *
 * Fork. What belongs to one process is in memory that the kernel zeroes in every fork child (MADV_WIPEONFORK,
 * madvise(2)); where it cannot, pthread_atfork does it. So no lock is held in a child, whatever the parent's
 * other threads did. The child closes its copies of the parent's descriptors. While one is made and not yet
 * noted, libc's fork waits.
 *
 * Vfork. Such a child shares its parent's memory: it sees an owner that is not itself, and must change
 * nothing until it execs. link_owns() is false there. Its messages go by link_apart.c.
 *
 * Not seen from here: a process that hands its listener to a fork child and ends. The session takes the end
 * of a process as a hint only, and asks the kernel whether a process still listens.
 */
#include <stdatomic.h>

#include "ask.h"
#include "link.h"

bool (*ask_set_inside)(bool inside);

/* Of an exchange on `link`: 0 or -errno. */
static int outcome(struct link *link, int status)
{
	return status == EXCHANGE_LOST ? pool_lose(link) : status;
}

/* `exchange`, one of exchange.h, on a link of the pool, with signals blocked. */
static int ask_blocked(int (*exchange)(struct link *link, unsigned char *memory, const struct ask *ask),
		       const struct ask *ask)
{
	struct asker asker = ASKER(.deadline = -1);
	struct sys_signals signals;
	struct link *link;
	int status;

	sys_block_signals(&signals);
	link = pool_take(&asker, &status);
	if (link) {
		status = outcome(link, exchange(link, pool_scratch(link), ask));
		pool_release(link);
	}
	sys_restore_signals(&signals);
	return status;
}

int ask_now(const struct ask *ask)
{
	return ask_blocked(exchange_both, ask);
}

int ask_tell(const struct ask *message)
{
	return ask_blocked(exchange_send, message);
}

enum waited { ANSWERED, LEFT, GONE };

/*
 * Waits for the answer with signals open. GONE: the link is not this thread's any more; -errno in *status if
 * not ANSWERED.
 */
static enum waited await_answer(struct link *link, const struct asker *asker, int *status)
{
	int64_t left = asker->deadline < 0 ? -1 : asker->deadline - sys_now();
	pid_t process = sys_getpid(), self = sys_gettid();
	bool inside = ask_set_inside && ask_set_inside(false);

	link->frame = asker->frame;
	atomic_store(&link->waiter, self);
	*status = sys_await_bytes(exchange_fd(link), asker->deadline >= 0 && left < 0 ? 0 : (int)left, asker->signals);
	if (ask_set_inside)
		ask_set_inside(inside);
	if (*status > 0)
		*status = 0;
	else if (*status == 0)
		*status = -ETIMEDOUT;
	/* A handler may have forked, and this be the child; or the pool gave the link away. */
	if (process != sys_getpid() || !atomic_compare_exchange_strong(&link->waiter, &self, 0)) {
		*status = -EINTR;
		return GONE;
	}
	return *status < 0 ? LEFT : ANSWERED;
}

int ask_patiently(const struct ask *ask, int timeout_ms)
{
	struct sys_signals signals;
	struct asker asker =
		ASKER(.signals = &signals, .deadline = timeout_ms < 0 ? -1 : sys_now() + timeout_ms);
	enum waited waited = LEFT;
	struct link *link;
	int status;

	sys_block_signals(&signals);
	link = pool_take(&asker, &status);
	if (!link)
		goto out;
	status = outcome(link, exchange_send(link, pool_scratch(link), ask));
	if (status == 0) {
		waited = await_answer(link, &asker, &status);
		if (waited == ANSWERED)
			status = outcome(link, exchange_receive(link, pool_scratch(link), ask));
		else if (waited == LEFT)
			atomic_store(&link->abandoned, true);
	}
	if (waited != GONE)
		pool_release(link);
out:
	sys_restore_signals(&signals);
	return status;
}

int ask_floor(enum link_floor floor)
{
	struct asker asker = ASKER(.deadline = -1);
	struct greeting *greeting = pool_greeting();
	struct sys_signals signals;
	struct link *link;
	int status = 0;

	if (!atomic_load(&greeting->known)) {
		sys_block_signals(&signals);
		link = pool_take(&asker, &status);
		if (link)
			pool_release(link);
		sys_restore_signals(&signals);
	}
	return status < 0 || pool_lost() ? -EIO : greeting->floors[floor];
}
