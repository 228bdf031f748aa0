/* What an open file of the target answers about itself. See itself.c. */
#ifndef LAYER_ITSELF_H
#define LAYER_ITSELF_H

#include "../verdict.h"
#include "remote.h"

/* A call of sockets. */
struct verdict file_no_socket(void);
struct verdict file_ioctl(const struct fds_handle *open, unsigned long request, void *argument);
struct verdict file_readahead(const struct fds_handle *open);
struct verdict file_sync_range(const struct fds_handle *open, off_t offset, off_t count, unsigned int flags);

#endif
