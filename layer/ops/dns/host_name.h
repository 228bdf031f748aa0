/* The name of the target's host, which is a pod's own name. See host_name.c. */
#ifndef LAYER_HOST_NAME_H
#define LAYER_HOST_NAME_H

#include <stdbool.h>
#include <sys/utsname.h>

#include "../verdict.h"

/* Without its zero (uname(2)). */
#define HOST_NAME_BYTES (sizeof(((struct utsname *)0)->nodename) - 1)

/* Copies the name into HOST_NAME_BYTES + 1. `known` asks nothing: false, the session has to be asked. */
bool host_name_known(char *name, struct verdict *verdict);
/* The same by a question to the session. */
struct verdict host_name_ask(char *name);

#endif
