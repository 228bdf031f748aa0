/*
 * The kernel calls behind the layer's files: the objects that represent a remote file in the app's descriptor
 * table. As in sys.h: past libc and the layer's hooks, result or -errno, errno unchanged.
 */
#ifndef LAYER_SYS_FILES_H
#define LAYER_SYS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a memory file is to look like to fstat(2). */
struct sys_looks {
	uint32_t mode;
	int64_t times[4]; /* seconds and nanoseconds of the last access, of the last change */
};

/*
 * An empty file in memory, close-on-exec, at the lowest free number. /proc/PID/fd shows `name`, cut to what
 * memfd_create(2) takes.
 */
int sys_memory_file(const char *name);
/* Writes all of it at `offset`. */
int sys_fill(int fd, const void *bytes, size_t length, uint64_t offset);
/*
 * The memory file cannot be changed any more, and `fd` itself can only be read. `flags`: what F_GETFL returns
 * besides O_RDONLY. `looks` may be NULL.
 */
int sys_seal(int fd, bool cloexec, int flags, const struct sys_looks *looks);

/*
 * A Unix socket that keeps a connection to `path` open, on which `bytes` were sent, until its last copy is
 * closed. Its abstract name is `name` (unix(7)), by which the process that inherits it recognizes it. It
 * listens: a read of it fails with EINVAL, a write with ENOTCONN. Its descriptor is the lowest free one.
 */
int sys_hold(const char *path, const char *name, size_t name_length, bool cloexec, const void *bytes, size_t length);

/* The content of a file, if it fits: its length, or -errno. */
long sys_read_file(const char *path, void *into, size_t size);
uint32_t sys_umask(void);
int sys_dup(int fd, bool cloexec);
/* fcntl(2) and ioctl(2) of the descriptor itself, whatever stands behind it: the result or -errno. */
long sys_fcntl(int fd, int command, long argument);
long sys_ioctl(int fd, unsigned long request, void *argument);
/* Writes "/proc/self/fd/N". */
void sys_descriptor_name(int fd, char *into);
/* readlink(2) of /proc/self/fd/N: the length, not terminated. */
int sys_descriptor_path(int fd, char *into, size_t size);
/* getcwd(2): the length, not terminated, or -errno. */
int sys_working_folder(char *into, size_t size);
/*
 * Makes the working directory one in which nothing is or can be made: a new one, removed. It is made beside
 * `beside`, or where anybody may. 0 or -errno.
 */
int sys_go_nowhere(const char *beside);
/* A descriptor of such a directory, close-on-exec, at a high number. */
int sys_open_nowhere(const char *beside);
/* A descriptor of the directory `path`, of the same kind. */
int sys_open_folder(const char *path);
/* Is the working directory a removed one? */
bool sys_is_nowhere(void);
/* Calls `each` with every descriptor of this process. */
void sys_each_descriptor(void (*each)(int fd));
uint64_t sys_random(void);

#endif
