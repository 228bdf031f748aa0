/*
 * The first frame of every link: the process's description of itself, and the session's answer. See
 * hello.c.
 */
#ifndef LAYER_HELLO_H
#define LAYER_HELLO_H

#include <stdbool.h>

#include "../wire.h"

struct link;

enum link_floor { LINK_INCOMING, LINK_OUTGOING, LINK_DNS, LINK_FILES, LINK_INTERFACES };

/* What hello was answered: the same on every link. */
struct greeting {
	_Atomic(bool) known;
	_Atomic(bool) floors[LINK_INTERFACES + 1]; /* by enum link_floor */
};

/* The description of `process`; the path of its program is put into the `room` bytes of `executable`. */
struct wire_hello hello_of(uint64_t process, char *executable, size_t room);
/* Sends hello on a new link of `process` and keeps the answer. As exchange_both(). */
int hello_say(struct link *link, unsigned char *memory, uint64_t process, struct greeting *greeting);
/* The table of path prefixes that hello was answered with, for good; empty before the first ask_floor(). */
struct wire_run link_paths(void);

#endif
