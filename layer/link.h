/* The connection of this process to its session. See link.c. Requests return 0 or -errno. */
#ifndef LAYER_LINK_H
#define LAYER_LINK_H

#include <stdbool.h>

#include "wire.h"

/* Once per process image, before anything else; connects nothing. False: no memory. */
bool link_start(void);
/* Around libc's fork: no link is opened meanwhile. In the child the parent's links are the parent's; did it have any? */
void link_forking(void);
void link_forked_parent(void);
bool link_forked(void);
/* Is this process the one whose registry and links these are? Not so in a vfork child. */
bool link_owns(void);

enum link_floor { LINK_INCOMING, LINK_OUTGOING, LINK_DNS, LINK_FILES };

/* A question: `length` bytes of body, packed by wire_pack_*(), then the content of a trailing `bytes` field, if any. */
struct link_ask {
	uint16_t kind;
	const unsigned char *body;
	size_t length;
	const void *content;
	size_t content_length;
};

/* Reads an answer's body, valid during the call only. Returns 0, or -errno for the one who asked. */
typedef int (*link_unpack)(void *context, const unsigned char *from, size_t length);

/*
 * Asks and waits, with signals blocked: for what is answered at once. `unpack` may be NULL. Threads ask side by side;
 * two questions of one thread are answered in their order.
 */
int link_request(const struct link_ask *ask, link_unpack unpack, void *context);
/*
 * The same for what may take long: signals stay open, and their handlers' calls are hooked as ever. -EINTR when a
 * handler without SA_RESTART ran; with a timeout when any did, as socket calls with a timeout do (signal(7)).
 * -ETIMEDOUT after `timeout_ms` (-1: never). A late answer is passed over: `unpack` never sees it.
 */
int link_wait(const struct link_ask *ask, link_unpack unpack, void *context, int timeout_ms);
/* Says something that is not answered. It may overtake nothing said before by this thread, but be overtaken. */
int link_tell(const struct link_ask *message);
/*
 * Says something on a connection of its own, which touches no memory but the stack: for a vfork child. Returns when the
 * session has it. At most 4 KiB and a little.
 */
int link_say_apart(const struct link_ask *message);
/* Asks so. An answer of at most two paths. */
int link_ask_apart(const struct link_ask *ask, link_unpack unpack, void *context);
/* Connects if need be. 1: the floor is to be caught, 0: it is not, -EIO: the session is lost. */
int link_floor(enum link_floor floor);
/* The table of path prefixes that hello was answered with, for good; empty before the first link_floor(). */
struct wire_run link_paths(void);

int link_bind(const struct wire_bind *ask, struct wire_bind_reply *reply);
int link_bound(const struct wire_bound *message);
int link_listen(const struct wire_listen *ask);
int link_accepted(const struct wire_accepted *ask, struct wire_accepted_reply *reply);
int link_listener(const struct wire_listener *ask, struct wire_listener_reply *reply);
/* Nothing is said when there is no link to say it on. */
void link_closed(const struct wire_closed *message);

/* Is `fd` a link's descriptor? The app does not know them and must not hit them. Cheap for those that are not. */
bool link_holds(int fd);
/* The lowest descriptor in [first, last] that is a link's, or -1. */
int link_next(unsigned int first, unsigned int last);
/* Gives the number `fd` free if a link holds it. */
void link_yield(int fd);

#endif
