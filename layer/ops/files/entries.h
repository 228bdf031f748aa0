/* The entries of a folder of the target. See entries.c. */
#ifndef LAYER_ENTRIES_H
#define LAYER_ENTRIES_H

#include <dirent.h>

#include "../verdict.h"
#include "remote.h"

/*
 * The entry at `at` of the page. NULL for what no kernel would have made: one that leaves the page, or a name
 * that has no end in it or is no single step of a path. The shortest one has a name of one byte and its end.
 */
struct dirent *files_entry_at(const struct files_page *page, uint32_t at);
/* getdents64(2) */
struct verdict file_getdents64(const struct fds_handle *open, void *into, size_t size);

#endif
