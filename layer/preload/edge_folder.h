/*
 * Calls about a path or a descriptor that also a vfork child makes, and what starting a program asks of them.
 * See edge_folder.c.
 */
#ifndef LAYER_EDGE_FOLDER_H
#define LAYER_EDGE_FOLDER_H

#include "../ops/files/cwd.h"
#include "../ops/files/files.h"

/* Is this a vfork child that may ask about paths, on a connection of its own? */
bool edge_is_apart(void);
/*
 * What chdir(2) would lead to: *folder, or if that is NULL the path `local` (PATH_MAX bytes, may be `path`)
 * of this machine. 0 or -errno. The same of an open file; then NULL means that it is local.
 */
int edge_find_folder(const char *path, const struct cwd_folder **folder, char *local);
int edge_open_as_folder(int fd, const struct cwd_folder **folder);
/*
 * Replaces `path` by the program's path for the kernel, to which a working directory of the target is
 * unknown. 0 or -errno: the target's are not run. `room` holds what is not `path` itself; it may be NULL
 * where there is no folder.
 */
int edge_program_path(const struct cwd_folder *folder, const char **path, struct files_call *room);
/* The same; what is named without a slash is looked for in PATH. */
int edge_program_file(const struct cwd_folder *folder, const char **file, struct files_call *room);

#endif
