/* open and its family. See open.c. */
#ifndef LAYER_OPEN_H
#define LAYER_OPEN_H

#include "files.h"

/* open(2), with flags and mode as it has them. */
struct verdict open_path(struct files_call *call, int flags, mode_t mode);
/*
 * The same without a descriptor, for a folder that is asked about: what is open, and the first page of its
 * list.
 */
struct verdict open_folder(struct files_call *call, struct fds_file *file, struct files_page *page);

#endif
