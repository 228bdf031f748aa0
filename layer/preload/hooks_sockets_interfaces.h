/* Whose network interfaces the app sees. See hooks_sockets_interfaces_linux.c. */
#ifndef LAYER_HOOKS_SOCKETS_INTERFACES_H
#define LAYER_HOOKS_SOCKETS_INTERFACES_H

#include <stdbool.h>

/* Are the app's interfaces the target's? Takes the guard. */
bool interface_list_is_remote(void);

#endif
