/* The connection of this process to its session. See link.c. Requests return 0 or -errno. */
#ifndef LAYER_LINK_H
#define LAYER_LINK_H

#include <stdbool.h>

#include "wire.h"

/* Once per process image, before anything else; connects nothing. False: no memory. */
bool link_start(void);
/* In a fork child: the parent's link is the parent's. */
void link_forked(void);
/* Is this process the one whose registry and link these are? Not so in a vfork child. */
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

/* Asks and waits, with signals blocked: for what is answered at once. `unpack` may be NULL. */
int link_request(const struct link_ask *ask, link_unpack unpack, void *context);
/*
 * The same for what may take long: signals stay open, other threads go on. -EINTR when a handler without SA_RESTART ran,
 * -ETIMEDOUT after `timeout_ms` (-1: never); a late answer is then passed over.
 */
int link_wait(const struct link_ask *ask, link_unpack unpack, void *context, int timeout_ms);
/* Connects if need be. 1: the floor is to be caught, 0: it is not, -EIO: the session is lost. */
int link_floor(enum link_floor floor);

int link_bind(const struct wire_bind *ask, struct wire_bind_reply *reply);
int link_bound(const struct wire_bound *message);
int link_listen(const struct wire_listen *ask);
int link_accepted(const struct wire_accepted *ask, struct wire_accepted_reply *reply);
int link_listener(const struct wire_listener *ask, struct wire_listener_reply *reply);
/* One way. Nothing is said when there is no link to say it on. */
void link_closed(const struct wire_closed *message);

/* The link's descriptor, or -1. The app does not know it and must not hit it. */
int link_fd(void);
/* Gives the number `fd` free if the link holds it. */
void link_yield(int fd);

#endif
