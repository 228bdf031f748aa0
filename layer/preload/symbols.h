/* libc's own of a call, behind the layer in the order of symbols. See symbols_linux.c and symbols_glibc.c. */
#ifndef LAYER_SYMBOLS_H
#define LAYER_SYMBOLS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "images.h"

/* dlsym(3) with RTLD_NEXT as the layer asks it. */
void *symbols_next(const char *name);
/*
 * Does no library that the program started with stand between the layer and libc, with calls of hooks.h of
 * its own?
 */
bool symbols_next_to_libc(void);

/* What symbols_linux.c and symbols_glibc.c have in common. */
#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

/* The layer itself; NULL when it is not found. */
const struct image *symbols_self(void);
/* The layer's call of the name; NULL: it takes none over. */
void *symbols_ours(const char *name);
/* libc's own call of the name, kept in `slot`. */
void *symbols_libc_own(_Atomic(void *) *slot, const char *name);
/*
 * What the app gets, at `address`, for `found`, which libc found by an order in which the layer does not
 * stand.
 */
void *symbols_instead(void *found, const char *name, const void *address);
/* RTLD_NEXT of a hooked call for the code at `address`, or NULL where libc's own answer is right. */
void *symbols_next_call(const char *name, const void *address);
/*
 * The flags to open a library with, so that what it finds in libc is the layer's where that is hooked.
 */
int symbols_open_flags(int flags);

/*
 * The caller's address stays the one that libc sees. Other compilers than the layer's only look at this file
 * (tests/layer/analysis_test.ts).
 */
#ifdef __clang__
#define TAIL __attribute__((musttail))
#else
#define TAIL
#endif

#define LIBC_OWN(type, name) \
	static type own_##name(void) \
	{ \
		static _Atomic(void *) slot; \
		return (type)symbols_libc_own(&slot, #name); \
	}

#endif
