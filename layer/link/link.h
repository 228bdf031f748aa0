/*
 * The links of this process to its session: their life, and, for ask.c, their use by one thread at a time.
 * Questions are in ask.h; ask.c explains how links work.
 */
#ifndef LAYER_LINK_H
#define LAYER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"
#include "hello.h"
#include "../sys/sys.h"

/* Once per process image, before anything else; connects nothing. False: no memory. */
bool link_start(void);
/*
 * Around libc's fork: no link is opened meanwhile. In the child the parent's links are the parent's; did it
 * have any?
 */
void link_forking(void);
void link_forked_parent(void);
bool link_forked(void);
/* Is this process the one whose registry and links these are? Not so in a vfork child. */
bool link_owns(void);
/* Is there a link to send on? */
bool link_is_open(void);

/*
 * Is `fd` a link's descriptor? The app does not know them and must not hit them. Cheap for those that are
 * not.
 */
bool link_holds(int fd);
/* The lowest descriptor in [first, last] that is a link's, or -1. */
int link_next(unsigned int first, unsigned int last);
/* Gives the number `fd` free if a link holds it. */
void link_yield(int fd);

/* What follows is for ask.c. Which thread asks, and how long it waits. */
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
