/* The status of files: stat and its family, access, readlink, statfs. See stat.c. */
#ifndef LAYER_STAT_H
#define LAYER_STAT_H

#include <sys/stat.h>

#include "files.h"

/* By path, or of `call->fd` itself. */
struct verdict stat_path(struct files_call *call, int flags, struct files_status *status);
/* The same in the form of libc. */
struct verdict stat_path_as(struct files_call *call, int flags, struct stat *into);
struct verdict stat_open_as(const struct fds_handle *open, struct stat *into);

struct verdict stat_access(struct files_call *call, int mode, int flags);
struct verdict stat_read_link(struct files_call *call, char *into, size_t size);
/* into: `struct statfs` of libc */
struct verdict stat_file_system(struct files_call *call, void *into);

#endif
