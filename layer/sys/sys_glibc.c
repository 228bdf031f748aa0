/* What of sys.h goes by glibc's own names. */
#include "sys.h"

/*
 * What pthread_atfork(3) calls. That function itself lies in a static part of glibc up to 2.33, and would tie
 * us to libpthread.
 */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);

void sys_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	__register_atfork(before, parent, child, NULL);
}
