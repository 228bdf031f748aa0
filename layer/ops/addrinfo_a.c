/*
 * getaddrinfo_a and what belongs to it: libc's threads would look the hosts up by its own getaddrinfo, past our hook, so
 * threads of ours do it (requests.c). gai_error(3) stays libc's: it reads what stands in the request. Called by preload/.
 * The invariant: the process's requests are all libc's or all ours, by whether the session wants names from it.
 */
#include <errno.h>
#include <stdint.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "requests.h"

/* Does the session want names from this process? Also when it is lost: then they fail. */
static bool is_ours(void)
{
	return !guard_inside && guard_active() && link_owns() && link_floor(LINK_DNS) != 0;
}

int layer_getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
	if ((mode != GAI_WAIT && mode != GAI_NOWAIT) || !is_ours())
		return next_getaddrinfo_a(mode, list, count, event);
	return requests_make(list, count, mode == GAI_WAIT, event);
}

static bool has_ended(const struct gaicb *const *list, int count, const bool *marked)
{
	for (int i = 0; i < count; i++)
		if (marked[i] && __atomic_load_n(&list[i]->__return, __ATOMIC_ACQUIRE) != EAI_INPROGRESS)
			return true;
	return false;
}

/* Waits for one of the marked requests. 0, EAI_AGAIN after the time, EAI_INTR. */
static int await_any(const struct gaicb *const *list, int count, const bool *marked, const struct timespec *timeout)
{
	int64_t left = -1, until = 0;

	if (timeout) {
		left = timeout->tv_sec < INT32_MAX ? (int64_t)timeout->tv_sec * 1000 : INT32_MAX;
		until = sys_now() + left + (timeout->tv_nsec + 999999) / 1000000;
	}
	for (;;) {
		uint32_t seen = requests_turn();

		if (has_ended(list, count, marked))
			return 0;
		if (timeout)
			left = until - sys_now();
		if (timeout && left <= 0)
			return EAI_AGAIN;
		if (requests_await(seen, left) == -EINTR)
			return EAI_INTR;
	}
}

/* As in libc, a request that has ended before counts for nothing beside one that has not. */
int layer_gai_suspend(const struct gaicb *const *list, int count, const struct timespec *timeout)
{
	bool marked[count > 0 ? count : 1], any = false;

	if (!is_ours())
		return next_gai_suspend(list, count, timeout);
	for (int i = 0; i < count; i++) {
		marked[i] = list[i] && requests_know(list[i]);
		any |= marked[i];
	}
	return any ? await_any(list, count, marked, timeout) : EAI_ALLDONE;
}

int layer_gai_cancel(struct gaicb *block)
{
	return is_ours() ? requests_cancel(block) : next_gai_cancel(block);
}
