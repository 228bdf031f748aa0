/* What of sys.h goes by musl's names. */
#include <pthread.h>

#include "sys.h"

void sys_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	pthread_atfork(before, parent, child);
}
