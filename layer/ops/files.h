/* What the calls about files share: who is asked, and what comes back. See files_asks.c, files.c and remote.c. */
#ifndef LAYER_FILES_H
#define LAYER_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../link.h"
#include "fds.h"
#include "paths.h"

/* `where` of an answer. */
enum files_where { FILES_LOCAL, FILES_WHOLE, FILES_REMOTE };

/* The most that one question reads or writes. */
#define FILES_CHUNK 1048000u
/* "At the position that all holders share." */
#define FILES_POSITION UINT64_MAX

/* The kernel's struct statx (linux/stat.h), which old headers lack. */
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
_Static_assert(sizeof(struct files_status) == 256, "statx(2)");

/* One call about a path. files_asks() fills it in. */
struct files_call {
	int saved; /* errno of the app */
	int dirfd; /* dirfd and path are what libc is to be given when the answer is "local" */
	const char *path;
	uint32_t dir; /* the remote folder, or with an empty `text` the remote file, that is asked about; 0 = none */
	uint32_t length;
	bool described; /* the path names a descriptor: /dev/fd/N */
	enum files_where where;
	long result; /* once decided: what the app gets, or -errno */
	char text[PATH_MAX];
};

/* Is the session to be asked about `path`? Then the guard is taken, until the call is decided. */
bool files_asks(struct files_call *call, int dirfd, const char *path);
/* The same in a vfork child, without a guard: for link_ask_apart(). */
bool files_asks_apart(struct files_call *call, const char *path);
/* The same, where AT_EMPTY_PATH in `flags` makes an empty path mean `dirfd` itself. */
bool files_asks_at(struct files_call *call, int dirfd, const char *path, int flags);
/* May `path` be the target's? Takes no guard: for calls that are then made of other hooked ones. */
bool files_may_be(int dirfd, const char *path);
/*
 * May something at or below the absolute `path` be the target's? Then a walk of libc, which no hook sees, will not do. Takes no
 * guard. Of a path relative to a folder of this machine, nothing; of one relative to the target's or to the root, all. Both are in walk.c.
 */
bool files_walks(const char *path);
/*
 * What the questions below and files_decided() return: true, the call is decided and the hook returns
 * files_result(); false, it is local, the guard is released, and libc gets call->dirfd and call->path.
 */
bool files_decided(struct files_call *call, long result);
/* Releases the guard; the value is what the app sees, errno is set on failure. */
long files_result(struct files_call *call);
/* Takes the path over that a local answer names, if any. For unpackers. */
void files_local(struct files_call *call, uint8_t where, struct wire_run path);

bool files_stat(struct files_call *call, int flags, struct files_status *status);
bool files_access(struct files_call *call, int mode, int flags);
/* Takes the answer to that question; `context` is the call. */
int files_unpack_access(void *context, const unsigned char *from, size_t length);
/* result: bytes of the target, cut to `size`, not terminated. */
bool files_read_link(struct files_call *call, char *into, size_t size);
/* status: `struct statfs` of libc */
bool files_statfs(struct files_call *call, void *status);
bool files_change(struct files_call *call, enum wire_change_what what, int flags, const uint64_t arguments[4]);
/* mode & ~umask */
uint64_t files_mode(mode_t mode);

/* What a note of state FDS_FILE or FDS_WHOLE says of its kind: the file type bits of st_mode. */
struct files_open {
	int saved;
	int fd;
	struct fds_file file;
};

/* Is `fd` an open file of the target, kept by the session? Then the guard is taken. Cheap for all others. */
bool files_remote(struct files_open *open, int fd);
/* Is `fd` the copy of a whole file of the target? Then the guard is taken. */
bool files_whole(struct files_open *open, int fd);
/* Is `fd` one of the two? As cheap, and as sure; takes no guard. */
bool files_is(int fd, enum fds_state state);
/* Releases the guard. `result` or -errno; what the app sees. */
long files_leave(const struct files_open *open, long result);
/* The path from which a whole file was opened, into PATH_MAX bytes; its length, or -EOPNOTSUPP. */
int files_whole_path(int fd, char *into);

/* The questions about an open file; all return the result or -errno. For use within the guard. */
long files_read(const struct fds_file *file, void *into, size_t count, uint64_t offset);
long files_write(const struct fds_file *file, const void *from, size_t count, uint64_t offset);
long files_seek(const struct fds_file *file, int64_t offset, int whence);
long files_fstat(const struct fds_file *file, struct files_status *status);
void files_release(uint32_t file);

/* open(2): a descriptor, or -errno, in call->result. */
bool files_open_at(struct files_call *call, int flags, mode_t mode);
/* The same without a descriptor, for folders: what is open, the first page of its list (256 KiB at most) and its end. */
struct files_page {
	bool end;
	uint32_t length;
	char bytes[256 * 1024];
};
bool files_open_folder(struct files_call *call, struct fds_file *file, struct files_page *page);
long files_list(uint32_t file, uint64_t cursor, struct files_page *page);
/* A descriptor that keeps `file` open in the session, or -errno; the file is released then. */
int files_hold(const struct fds_file *file);
/* Notes the descriptors of remote files that this process was started with. */
void files_adopt(void);

/* fcntl(2) of a remote file. False: the descriptor's own answer is right. */
bool files_control(int fd, int command, long argument, int *result);
/*
 * What chdir(2) would lead to: *folder, or if that is NULL the path `local` (PATH_MAX bytes) of this machine. 0 or -errno.
 * The same of an open file; then NULL means that it is local.
 */
struct cwd_folder;
int files_find_folder(const char *path, const struct cwd_folder **folder, char *local);
int files_open_as_folder(int fd, const struct cwd_folder **folder);
/* The path here of a program that is called `path`, absolute. 0 or -errno: the target's are not run. */
int files_find_program(const char *path, char *local);
/* getcwd(2): the length with its end, or -1 with errno. */
long files_getcwd(char *into, size_t size);
bool files_is_regular(const struct fds_file *file);
bool files_is_folder(const struct fds_file *file);

#endif
