/*
 * The links of this process, taken by one thread at a time. See link_pool.c; between the files of this folder
 * only.
 */
#ifndef LAYER_LINK_POOL_H
#define LAYER_LINK_POOL_H

#include <stdint.h>

#include "exchange.h"
#include "hello.h"
#include "../sys/sys.h"

/* Which thread asks, and how long it waits. */
struct asker {
	const struct sys_signals *signals; /* let in while all links are busy; NULL: none */
	int64_t deadline; /* by sys_now(); -1: never */
	uintptr_t frame; /* of the public function on the stack */
};
#define ASKER(...) { .frame = (uintptr_t)__builtin_frame_address(0), __VA_ARGS__ }

/*
 * Takes a link that is open and idle. NULL with the reason in *status: -EIO, -EINTR, -ETIMEDOUT. Signals are
 * blocked before and after.
 */
struct link *pool_take(const struct asker *asker, int *status);
void pool_release(struct link *link);

/* WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD bytes for the thread that has taken `link`. */
unsigned char *pool_scratch(const struct link *link);
/*
 * The link broke: -EIO, and from now on for everything, unless only its descriptor was closed behind our
 * back.
 */
int pool_lose(struct link *link);
struct greeting *pool_greeting(void);
bool pool_lost(void);

#endif
