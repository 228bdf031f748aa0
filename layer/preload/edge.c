/* What every edge does with a verdict. See edge.h. */
#include "edge.h"

bool edge_decided(int saved_errno, struct verdict verdict, long *value)
{
	guard_inside = false;
	errno = verdict.kind == VERDICT_ERROR ? (int)verdict.value : saved_errno;
	*value = verdict.kind == VERDICT_ERROR ? -1 : verdict.value;
	return verdict.kind != VERDICT_LIBC;
}
