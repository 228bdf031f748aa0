/* mmap, copy_file_range and splice of open files of the target. See map.c. */
#ifndef LAYER_MAP_H
#define LAYER_MAP_H

#include "../verdict.h"
#include "remote.h"

/* What mmap(2) asks for of a file. */
struct file_range {
	int protection, flags;
	off_t offset;
	size_t length;
};
/* The descriptor of a memory file to map in the file's place, and then to close. */
struct verdict file_map(const struct fds_handle *open, const struct file_range *range);
/* One of the two descriptors is an open file of the target. Libc's where none is. */
struct verdict file_copy_range(int from, int to);
struct verdict file_splice(int from, int to);

#endif
