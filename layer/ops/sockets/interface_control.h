/* ioctl(2) of the target's network interfaces. See interface_control_linux.c. */
#ifndef LAYER_INTERFACE_CONTROL_H
#define LAYER_INTERFACE_CONTROL_H

#include <stdbool.h>

#include "../verdict.h"

/* Is an ioctl a question of netdevice(7)? Cheap, for every ioctl of the app is looked at. */
bool interfaces_is_question(unsigned long command);
/* That ioctl on `fd`, which may be anything. */
struct verdict interfaces_control(int fd, unsigned long command, void *argument);
/*
 * One ioctl of netdevice(7) that asks: `request` is a struct ifreq. Left to libc where the app's interfaces
 * are this machine's; otherwise 0 or an errno.
 */
struct verdict interfaces_ask(unsigned int command, void *request);

#endif
