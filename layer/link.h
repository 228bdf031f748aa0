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

/* Connects if need be. 1: incoming is to be caught, 0: it is not, -EIO: the session is lost. */
int link_incoming(void);
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
