/* The calls that change one file, by path or by a descriptor (_of). See change.c. */
#ifndef LAYER_CHANGE_H
#define LAYER_CHANGE_H

#include "files.h"

struct verdict change_make_folder(struct files_call *call, mode_t mode);
/* A file of the type in `mode`. */
struct verdict change_make_node(struct files_call *call, mode_t mode, dev_t device);
/* `given`: the path as the app has it. */
struct verdict change_remove(struct files_call *call, const char *given, bool folder);
/* A folder, or any other kind of file. */
struct verdict change_remove_any(struct files_call *call, const char *given);

/* `flags`: AT_SYMLINK_NOFOLLOW; others do not matter. */
struct verdict change_mode(struct files_call *call, mode_t mode, int flags);
struct verdict change_mode_of(const struct fds_handle *open, mode_t mode);
struct verdict change_owner(struct files_call *call, uid_t user, gid_t group, int flags);
struct verdict change_owner_of(const struct fds_handle *open, uid_t user, gid_t group);
/* No times mean now. */
struct verdict change_times(struct files_call *call, const struct timespec *times, int flags);
struct verdict change_times_of(const struct fds_handle *open, const struct timespec *times);

/* Descriptors that can be written are never whole files: of one of those the kernel refuses these. */
struct verdict change_length(struct files_call *call, off_t length);
struct verdict change_length_of(const struct fds_handle *open, off_t length);
struct verdict change_sync_of(const struct fds_handle *open, bool content_only);
struct verdict change_allocate_of(const struct fds_handle *open, int mode, off_t offset, off_t length);

#endif
