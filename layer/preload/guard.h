/*
 * The guard of the ops: one call at a time per thread. A signal handler that interrupts an op, or a libc call
 * made by an op, finds the guard taken and gets libc's own call. errno is restored on the way out.
 * Used by the edges. See guard.c.
 */
#ifndef LAYER_GUARD_H
#define LAYER_GUARD_H

#include <errno.h>
#include <stdbool.h>

#include "../link/link.h"
#include "../ops/verdict.h"

extern _Thread_local bool guard_inside __attribute__((tls_model("initial-exec")));

/* Does the layer work in this process? Starts it unless that was done. */
bool guard_active(void);
/* Is this process part of a session? Also one whose program is skipped, which keeps its children in. */
bool guard_session(void);

/* True: the op may go on, and must call guard_leave(). False: make the bare libc call. */
bool guard_enter(int *saved_errno);
/*
 * `result`: what the hook returns, or -errno. Returns what the app sees; its errno is untouched on success.
 */
int guard_leave(int saved_errno, int result);
/*
 * Leaves the guard. True: the call is decided, *value is what the hook returns and errno is set. False:
 * libc's turn, errno as it was.
 */
bool guard_decided(int saved_errno, struct verdict verdict, long *value);

#endif
