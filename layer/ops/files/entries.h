/* The entries of a folder of the target. See entries.c. */
#ifndef LAYER_ENTRIES_H
#define LAYER_ENTRIES_H

#include <stdint.h>

#include "../verdict.h"
#include "remote.h"

/* One as the wire has it: struct linux_dirent64 of getdents64(2). */
struct files_entry {
	uint64_t number;
	int64_t next; /* where the one behind it is */
	uint16_t length; /* of this entry, name and all */
	uint8_t type;
	char name[];
};

/*
 * The entry at `at` of the page. NULL for what no kernel would have made: one that leaves the page, or a name
 * that has no end in it or is no single step of a path. The shortest one has a name of one byte and its end.
 */
struct files_entry *files_entry_at(const struct files_page *page, uint32_t at);
/* getdents64(2) */
struct verdict file_getdents64(const struct fds_handle *open, void *into, size_t size);

#endif
