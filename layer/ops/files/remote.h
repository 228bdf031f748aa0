/*
 * Open files of the target: the descriptor that represents one in the app, and the questions about it. See
 * remote.c.
 */
#ifndef LAYER_REMOTE_H
#define LAYER_REMOTE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../link/link.h"
#include "../fds.h"

/* The most that one question reads or writes. */
#define FILES_CHUNK WIRE_FILE_PIECE
/* "At the position that all holders share." */
#define FILES_POSITION WIRE_OWN_POSITION

/* Called when the first of them is about to be there. NULL: nothing is called. */
extern void (*files_first)(void);

/*
 * Is `fd` an open file of the target, kept by the session? Then *open is what the calls about it are given.
 */
bool files_find(struct fds_handle *open, int fd);
/* Is `fd` an open file of the target, or the copy of a whole one, by `state`? */
bool files_is_found(int fd, enum fds_state state);

/* The kind in a note of state FDS_FILE or FDS_WHOLE: the file type bits of st_mode. */
bool files_is_regular(const struct fds_file *file);
bool files_is_folder(const struct fds_file *file);
/* The path from which a whole file was opened, into PATH_MAX bytes; its length, or -EOPNOTSUPP. */
int files_whole_path(int fd, char *into);

struct files_status;
/* A page of a folder's list, and whether it is the last. */
struct files_page {
	bool end;
	uint32_t length;
	char bytes[WIRE_FILE_PAGE];
};

/* The questions about an open file; all return the result or -errno. */
long files_read(const struct fds_file *file, void *into, size_t count, uint64_t offset);
long files_write(const struct fds_file *file, const void *from, size_t count, uint64_t offset);
long files_seek(const struct fds_file *file, int64_t offset, int whence);
long files_fstat(const struct fds_file *file, struct files_status *status);
long files_list(uint32_t file, uint64_t cursor, struct files_page *page);
void files_release(uint32_t file);

/* A descriptor that keeps `file` open in the session, or -errno; the file is released then. */
int files_hold(const struct fds_file *file);
/* Notes the descriptors of remote files that this process was started with. */
void files_adopt(void);

#endif
