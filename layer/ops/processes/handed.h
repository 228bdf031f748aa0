/* Other programs to which the app connects by Unix sockets. See handed.c. */
#ifndef LAYER_HANDED_H
#define LAYER_HANDED_H

#include <stdbool.h>
#include <sys/socket.h>

/* May there be another program at `address`? */
bool handed_concerns(const struct sockaddr *address, socklen_t length);
/* The app connected `fd` to such an address. */
void handed_met(int fd, const struct sockaddr *address, socklen_t length);

#endif
