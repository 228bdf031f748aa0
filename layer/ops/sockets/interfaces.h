/*
 * The target's network interfaces by netlink(7), for the calls that carry other things too. See
 * interfaces_linux.c; ioctl(2) is in interface_control.h.
 */
#ifndef LAYER_INTERFACES_H
#define LAYER_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "../fds.h"
#include "../verdict.h"

/* Is `bytes` what is sent to rtnetlink(7)? Cheap, for all that an app sends is looked at. */
bool interfaces_seem_asked(const void *bytes, size_t count);
/* The app sends `bytes`, which seem to be a question, on the socket. Decided where it was one. */
struct verdict interfaces_sent(struct fds_handle *socket, const void *bytes, size_t count);
/*
 * Is it a netlink socket whose answers are the target's? Then that is what its name, and the sender's, are.
 */
bool interfaces_own_name(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length);
bool interfaces_sender(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length);

/* Are the app's interfaces the target's? */
bool interfaces_are_remote(void);
/*
 * What the target's kernel answers to a dump of `type` (RTM_GETLINK, RTM_GETADDR). To be given to
 * interfaces_forget().
 */
struct interfaces_dump {
	unsigned char *bytes;
	size_t length;
};
/* Left to libc where the app's interfaces are this machine's; otherwise 0 or an errno. */
struct verdict interfaces_dump(unsigned short type, struct interfaces_dump *dump);
void interfaces_forget(struct interfaces_dump *dump);

#endif
