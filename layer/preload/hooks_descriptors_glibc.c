/*
 * The hooks of what glibc alone has among the calls that end and copy descriptors; see hooks_descriptors.c.
 */
#include "../hooks.h"
#include "../ops/descriptors.h"
#include "edge.h"
#include "hooks_descriptors.h"

/* from linux/close_range.h, missing on old systems */
#define RANGE_CLOEXEC 4u
#define ALL_FDS (~0u)

int layer_fcntl64(int fd, int command, long argument)
{
	return edge_fcntl(next_fcntl64, fd, command, argument);
}

/* The range is closed in parts, so that the layer's own between them stay. 0 or -errno. */
static int close_around(unsigned int first, unsigned int last, int flags)
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
	result = close_around(first, last, flags);
	/* CLOSE_RANGE_UNSHARE: other threads may keep theirs open. */
	if (result == 0 && flags == 0)
		descriptors_forget(first, last);
	return guard_leave(saved, result);
}

void layer_closefrom(int first)
{
	unsigned int from = first < 0 ? 0 : (unsigned int)first;
	int saved;

	if (!guard_enter(&saved)) {
		next_closefrom(first);
		return;
	}
	if (close_around(from, ALL_FDS, 0) < 0)
		next_closefrom(first); /* a kernel without close_range(2); the link opens again when it is needed */
	descriptors_forget(from, ALL_FDS);
	guard_leave(saved, 0);
}
