/* Extended attributes. See attributes.c. */
#ifndef LAYER_ATTRIBUTES_H
#define LAYER_ATTRIBUTES_H

#include "files.h"

/* Of the path of `call`; `flags`: AT_SYMLINK_NOFOLLOW or 0. */
struct verdict attributes_path(struct files_call *call, int flags);
/* Of an open file, or of the copy of a whole one. */
struct verdict attributes_open(const struct fds_handle *open);

#endif
