/* Working directories. See folder.c. */
#ifndef LAYER_FOLDER_H
#define LAYER_FOLDER_H

#include "cwd.h"
#include "files.h"

/*
 * What chdir(2) would lead to, of a call that is asked about: *folder, which the caller may enter. NULL: it
 * is local, or one may not go there.
 */
struct verdict folder_find(struct files_call *call, const struct cwd_folder **folder);
/* The same of an open file. */
struct verdict folder_find_open(const struct fds_handle *open, const struct cwd_folder **folder);
/* The target's programs are not run: of one that is there EACCES, as of a file system mounted noexec. */
struct verdict folder_program(struct files_call *call);
/* getcwd(2): the length with its end. */
struct verdict folder_working(char *into, size_t size);

#endif
