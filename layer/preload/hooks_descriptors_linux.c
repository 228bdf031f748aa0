/* dup3 and close_range, which Linux alone has; see hooks_descriptors.c. */
#include <errno.h>

#include "../hooks.h"
#include "../ops/descriptors.h"
#include "guard.h"
#include "hooks_descriptors.h"

/* from linux/close_range.h, missing on old systems */
#define RANGE_CLOEXEC 4u

int layer_dup3(int from, int to, int flags)
{
	int saved;

	if (!edge_replaces(from, to, &saved))
		return next_dup3(from, to, flags);
	return edge_replaced(from, to, saved, next_dup3(from, to, flags));
}

int edge_close_around(unsigned int first, unsigned int last, int flags)
{
	struct descriptors_part rest = { first, last }, part;
	int result = 0;

	while (result == 0 && descriptors_part(&rest, &part))
		result = next_close_range(part.first, part.last, flags) < 0 ? -errno : 0;
	return result;
}

int layer_close_range(unsigned int first, unsigned int last, int flags)
{
	int saved, result;

	/* Close-on-exec for a range changes nothing that we know; the link has it already. */
	if (first > last || ((unsigned int)flags & RANGE_CLOEXEC) || !guard_enter(&saved))
		return next_close_range(first, last, flags);
	result = edge_close_around(first, last, flags);
	/* CLOSE_RANGE_UNSHARE: other threads may keep theirs open. */
	if (result == 0 && flags == 0)
		descriptors_forget(first, last);
	return guard_leave(saved, result);
}
