/* Status flags, locks and event queues of an open file of the target. See control.c. */
#ifndef LAYER_CONTROL_H
#define LAYER_CONTROL_H

#include "../verdict.h"
#include "remote.h"

/* fcntl(2). Libc's where the descriptor's own answer is right. */
struct verdict file_fcntl(struct fds_handle *open, int command, long argument);
/* flock(2), lockf(3); epoll_ctl(2): what an open file of the target is refused. */
struct verdict file_lock(void);
struct verdict file_queue(void);

#endif
