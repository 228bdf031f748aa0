/* Lists of network interfaces in the form of libc's own calls. See interface_list_linux.c. */
#ifndef LAYER_INTERFACE_LIST_H
#define LAYER_INTERFACE_LIST_H

#include "../../ops/sockets/interfaces.h"

struct ifaddrs;
struct if_nameindex;

/* The list of getifaddrs(3), NULL when it is empty. 0 or -errno. */
int interface_list_make(const struct interfaces_dump *links, const struct interfaces_dump *addresses, struct ifaddrs **result);
/*
 * An array of the links, ended by an index of 0; each name is a piece of memory of its own (if_nameindex(3)).
 * NULL: no memory.
 */
struct if_nameindex *interface_list_index(const struct interfaces_dump *links);

#endif
