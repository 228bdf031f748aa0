/* The edge of calls about an open file of the target; for every other descriptor they cost one load. */
#ifndef LAYER_EDGE_FILE_H
#define LAYER_EDGE_FILE_H

#include "../ops/files/remote.h"
#include "edge.h"

/*
 * The descriptor is looked up here and nowhere behind: `operation` works on `open`, a struct fds_handle of
 * the hook's own.
 */
#define EDGE_FILE(open, fd, operation, libc) \
	EDGE_IF(fds_seems(fd, FDS_FILE), files_find(&(open), fd) ? (operation) : verdict_libc(), libc)

/* Does `fd` seem to be an open file of the target, or the copy of a whole one? Cheap, and needs no guard. */
static inline bool edge_seems_any(int fd)
{
	return fds_seems(fd, FDS_FILE) || fds_seems(fd, FDS_WHOLE);
}

/* The same of either of the two, with an `open` of its own. */
#define EDGE_OPEN(fd, operation, libc) \
	({ \
		struct fds_handle open; \
		EDGE_IF(edge_seems_any(fd), fds_find(fd, &open) ? (operation) : verdict_libc(), libc); \
	})

/* Is `fd` an open file of the target? For calls that are then made of other hooked ones. */
bool edge_is_file(int fd);
/* Is it one, on which socket calls fail with ENOTSOCK? Then errno is set to that. */
bool edge_no_socket(int fd);

#endif
