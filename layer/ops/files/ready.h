/* Open files of the target among the descriptors of poll(2) and select(2). See ready.c. */
#ifndef LAYER_READY_H
#define LAYER_READY_H

#include <poll.h>
#include <sys/select.h>

#include "../verdict.h"

/* Is one among them? A value, 0 or 1. */
struct verdict ready_among(const struct pollfd *all, nfds_t count);
/* After a poll that did not wait: how many are ready, with the files. */
struct verdict ready_polled(struct pollfd *all, nfds_t count);

struct ready_sets {
	fd_set readable, writable;
};
/* Which of select(2)'s are: into *files. Their number. */
struct verdict ready_selects(int count, const fd_set *reads, const fd_set *writes, struct ready_sets *files);
/* Puts them into what a select that did not wait found; the number of those added. */
int ready_selected(int count, fd_set *reads, fd_set *writes, const struct ready_sets *files);

#endif
