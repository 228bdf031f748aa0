/*
 * The thin edge of the preload door: enter the guard, run an operation, leave, and give the app the result of
 * the verdict. Used by hooks_*.c, which contain nothing else.
 */
#ifndef LAYER_EDGE_H
#define LAYER_EDGE_H

#include "guard.h"

/* What the app sees of a verdict that is not libc's, where no guard was entered. */
static inline long edge_result(struct verdict verdict)
{
	if (verdict.kind != VERDICT_ERROR)
		return verdict.value;
	errno = (int)verdict.value;
	return -1;
}

/*
 * The value of a hook: what `operation`, an expression of type struct verdict, decides within the guard,
 * otherwise what `libc`, evaluated without it, returns. Where the guard is taken already, or the layer does
 * not work here, only `libc` is evaluated.
 */
#define EDGE(operation, libc) EDGE_IF(true, operation, libc)

/*
 * The same for a call that is the layer's business only if `may` holds, a cheap question that the operation
 * answers for sure: for any other the guard is not looked at.
 */
#define EDGE_IF(may, operation, libc) \
	({ \
		int saved_; \
		long value_; \
		bool decided_ = (may) && guard_enter(&saved_) && guard_decided(saved_, (operation), &value_); \
		decided_ ? (__typeof__(libc))value_ : (libc); \
	})

#endif
