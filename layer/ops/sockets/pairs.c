/*
 * The ways of this process's UDP sockets: pairs of a socket and a remote address, and where datagrams to it
 * are sent. Called by datagrams.c; the session knows those of other processes.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "../../sys/sys.h"
#include "pairs.h"

/* Pairs remembered; the one that was put longest ago goes first, and is asked about again. */
#define PAIRS 512

/* Wiped in a fork child: the session's answers are the same there, and no thread holds the lock. */
struct table {
	_Atomic(uint32_t) lock;
	uint32_t next;
	struct pair pairs[PAIRS];
};
static _Atomic(struct table *) made;

static struct table *the_table(void)
{
	struct table *ours = atomic_load(&made), *none = NULL;

	if (ours)
		return ours;
	ours = sys_map(sizeof(*ours), true);
	/* Of two threads that come first, the slower one leaves its empty mapping behind. */
	if (ours && !atomic_compare_exchange_strong(&made, &none, ours))
		ours = none;
	return ours;
}

bool pairs_recall(uint64_t socket, enum pairs_by by, const union name *name, struct pair *found)
{
	struct table *here = the_table();
	bool known = false;

	if (!here)
		return false;
	sys_lock(&here->lock);
	for (unsigned int i = 0; i < PAIRS && !known; i++) {
		const struct pair *pair = &here->pairs[i];

		known = pair->socket == socket && !(by == PAIRS_BY_REMOTE && pair->heard) &&
			address_same(by == PAIRS_BY_REMOTE ? &pair->remote : &pair->endpoint, name);
		if (known)
			*found = *pair;
	}
	sys_unlock(&here->lock);
	return known;
}

void pairs_remember(const struct pair *pair)
{
	struct table *here = the_table();

	if (!here)
		return;
	sys_lock(&here->lock);
	here->pairs[here->next++ % PAIRS] = *pair;
	sys_unlock(&here->lock);
}
