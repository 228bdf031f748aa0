/* The edge of poll and its relatives. See hooks_files_ready.c. */
#ifndef LAYER_HOOKS_FILES_READY_H
#define LAYER_HOOKS_FILES_READY_H

#include <poll.h>

#include "edge.h"

/*
 * Is an open file of the target among the descriptors? Without one, a look at the registry's table for each.
 */
bool edge_has_file(const struct pollfd *all, nfds_t count);
/* After a poll that did not wait: `result`, with the files ready as well. */
int edge_with_files(struct pollfd *all, nfds_t count, int result);

#endif
