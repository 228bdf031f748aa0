/* read, write, lseek and their relatives on an open file of the target. See read.c. */
#ifndef LAYER_READ_H
#define LAYER_READ_H

#include <sys/uio.h>

#include "../verdict.h"
#include "remote.h"

struct verdict file_read(const struct fds_handle *open, void *into, size_t count);
struct verdict file_pread(const struct fds_handle *open, void *into, size_t count, off_t offset);
struct verdict file_readv(const struct fds_handle *open, const struct iovec *parts, int count);
struct verdict file_preadv(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset);
struct verdict file_preadv2(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset, int flags);

struct verdict file_write(const struct fds_handle *open, const void *from, size_t count);
struct verdict file_pwrite(const struct fds_handle *open, const void *from, size_t count, off_t offset);
struct verdict file_writev(const struct fds_handle *open, const struct iovec *parts, int count);
struct verdict file_pwritev(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset);
struct verdict file_pwritev2(const struct fds_handle *open, const struct iovec *parts, int count, off_t offset, int flags);

struct verdict file_lseek(const struct fds_handle *open, off_t offset, int whence);

#endif
