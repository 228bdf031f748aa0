/*
 * The hooks of what glibc alone has among the calls that end and copy descriptors; see hooks_descriptors.c.
 */
#include "../hooks.h"
#include "../ops/descriptors.h"
#include "guard.h"
#include "hooks_descriptors.h"

#define ALL_FDS (~0u)

int layer_fcntl64(int fd, int command, long argument)
{
	return edge_fcntl(next_fcntl64, fd, command, argument);
}

void layer_closefrom(int first)
{
	unsigned int from = first < 0 ? 0 : (unsigned int)first;
	int saved;

	if (!guard_enter(&saved)) {
		next_closefrom(first);
		return;
	}
	if (edge_close_around(from, ALL_FDS, 0) < 0)
		next_closefrom(first); /* a kernel without close_range(2); the link opens again when it is needed */
	descriptors_forget(from, ALL_FDS);
	guard_leave(saved, 0);
}
