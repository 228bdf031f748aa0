/*
 * gai_suspend(3): waits for requests of requests_glibc.c. Called by hooks_dns_glibc.c.
 */
#include <errno.h>
#include <stdint.h>

#include "../../sys/sys.h"
#include "requests.h"
#include "suspend.h"

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
int requests_suspend(const struct gaicb *const *list, int count, const struct timespec *timeout)
{
	bool marked[count > 0 ? count : 1], any = false;

	for (int i = 0; i < count; i++) {
		marked[i] = list[i] && requests_know(list[i]);
		any |= marked[i];
	}
	return any ? await_any(list, count, marked, timeout) : EAI_ALLDONE;
}
