/*
 * The status of a file on the link: the kernel's struct statx (linux/stat.h), which is missing in old
 * headers.
 */
#ifndef LAYER_STATUS_H
#define LAYER_STATUS_H

#include <stdint.h>

#include "../../wire.h"

struct files_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t unused;
};
struct files_status {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, unused;
	uint64_t ino, size, blocks, attributes_mask;
	struct files_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare[14];
};
_Static_assert(sizeof(struct files_status) == WIRE_FILE_STATUS_BYTES, "statx(2)");

#endif
