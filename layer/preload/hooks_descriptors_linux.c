/* dup3, which Linux alone has; see hooks_descriptors.c. */
#include "../hooks.h"
#include "hooks_descriptors.h"

int layer_dup3(int from, int to, int flags)
{
	int saved;

	if (!edge_replaces(from, to, &saved))
		return next_dup3(from, to, flags);
	return edge_replaced(from, to, saved, next_dup3(from, to, flags));
}
