/*
 * The calls about files that the layer takes over, for hooks.h, which names the platforms of each list:
 * X(type, name, parameters, arguments), and the second names under which glibc exports them: X(alias, name).
 * On 64-bit machines there is one off_t and one struct stat, so the calls for large files are the same.
 */
#ifndef LAYER_HOOKS_FILES_H
#define LAYER_HOOKS_FILES_H

#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <utime.h>

#ifdef __linux__
#include <sys/statfs.h>
#endif
#ifdef __APPLE__
#include <sys/mount.h>
#include <sys/param.h>
#endif
#ifdef __GLIBC__
#include <fts.h>

typedef int (*hooks_fts_order)(const FTSENT **a, const FTSENT **b);
#endif

/*
 * What a walk of libc calls back: a filter and an order of entries, glob(3)'s error function, nftw(3)'s and
 * ftw(3)'s visits.
 */
typedef int (*hooks_filter)(const struct dirent *entry);
typedef int (*hooks_order)(const struct dirent **a, const struct dirent **b);
typedef int (*hooks_failed)(const char *path, int error);
typedef int (*hooks_visit)(const char *path, const struct stat *status, int flag, struct FTW *at);
typedef int (*hooks_plain_visit)(const char *path, const struct stat *status, int flag);

#define LAYER_FILES_HOOKS(X) \
	X(int, creat, (const char *path, mode_t mode), (path, mode)) \
	X(ssize_t, read, (int fd, void *into, size_t count), (fd, into, count)) \
	X(ssize_t, pread, (int fd, void *into, size_t count, off_t offset), (fd, into, count, offset)) \
	X(ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count)) \
	X(ssize_t, preadv, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset)) \
	X(ssize_t, write, (int fd, const void *from, size_t count), (fd, from, count)) \
	X(ssize_t, pwrite, (int fd, const void *from, size_t count, off_t offset), (fd, from, count, offset)) \
	X(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count)) \
	X(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t offset), (fd, parts, count, offset)) \
	X(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence)) \
	X(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length), \
	  (fd, level, option, value, length)) \
	X(int, shutdown, (int fd, int how), (fd, how)) \
	X(int, stat, (const char *path, struct stat *into), (path, into)) \
	X(int, lstat, (const char *path, struct stat *into), (path, into)) \
	X(int, fstat, (int fd, struct stat *into), (fd, into)) \
	X(int, fstatat, (int dirfd, const char *path, struct stat *into, int flags), (dirfd, path, into, flags)) \
	X(int, access, (const char *path, int mode), (path, mode)) \
	X(int, faccessat, (int dirfd, const char *path, int mode, int flags), (dirfd, path, mode, flags)) \
	X(ssize_t, readlink, (const char *path, char *into, size_t size), (path, into, size)) \
	X(ssize_t, readlinkat, (int dirfd, const char *path, char *into, size_t size), (dirfd, path, into, size)) \
	X(int, statvfs, (const char *path, struct statvfs *into), (path, into)) \
	X(int, fstatvfs, (int fd, struct statvfs *into), (fd, into)) \
	X(long, pathconf, (const char *path, int name), (path, name)) \
	X(long, fpathconf, (int fd, int name), (fd, name)) \
	X(key_t, ftok, (const char *path, int id), (path, id)) \
	X(int, mkdir, (const char *path, mode_t mode), (path, mode)) \
	X(int, mkdirat, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode)) \
	X(int, unlink, (const char *path), (path)) \
	X(int, rmdir, (const char *path), (path)) \
	X(int, unlinkat, (int dirfd, const char *path, int flags), (dirfd, path, flags)) \
	X(int, remove, (const char *path), (path)) \
	X(int, chmod, (const char *path, mode_t mode), (path, mode)) \
	X(int, lchmod, (const char *path, mode_t mode), (path, mode)) \
	X(int, fchmod, (int fd, mode_t mode), (fd, mode)) \
	X(int, fchmodat, (int dirfd, const char *path, mode_t mode, int flags), (dirfd, path, mode, flags)) \
	X(int, chown, (const char *path, uid_t user, gid_t group), (path, user, group)) \
	X(int, lchown, (const char *path, uid_t user, gid_t group), (path, user, group)) \
	X(int, fchown, (int fd, uid_t user, gid_t group), (fd, user, group)) \
	X(int, fchownat, (int dirfd, const char *path, uid_t user, gid_t group, int flags), \
	  (dirfd, path, user, group, flags)) \
	X(int, utimensat, (int dirfd, const char *path, const struct timespec *times, int flags), \
	  (dirfd, path, times, flags)) \
	X(int, futimens, (int fd, const struct timespec *times), (fd, times)) \
	X(int, utimes, (const char *path, const struct timeval *times), (path, times)) \
	X(int, lutimes, (const char *path, const struct timeval *times), (path, times)) \
	X(int, futimes, (int fd, const struct timeval *times), (fd, times)) \
	X(int, utime, (const char *path, const struct utimbuf *times), (path, times)) \
	X(int, truncate, (const char *path, off_t length), (path, length)) \
	X(int, ftruncate, (int fd, off_t length), (fd, length)) \
	X(int, fsync, (int fd), (fd)) \
	X(int, fdatasync, (int fd), (fd)) \
	X(int, rename, (const char *from, const char *to), (from, to)) \
	X(int, renameat, (int from_dir, const char *from, int to_dir, const char *to), (from_dir, from, to_dir, to)) \
	X(int, link, (const char *from, const char *to), (from, to)) \
	X(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags), \
	  (from_dir, from, to_dir, to, flags)) \
	X(int, symlink, (const char *target, const char *path), (target, path)) \
	X(int, symlinkat, (const char *target, int dirfd, const char *path), (target, dirfd, path)) \
	X(char *, realpath, (const char *path, char *resolved), (path, resolved)) \
	X(DIR *, opendir, (const char *path), (path)) \
	X(DIR *, fdopendir, (int fd), (fd)) \
	X(int, closedir, (DIR *dir), (dir)) \
	X(int, dirfd, (DIR *dir), (dir)) \
	X(struct dirent *, readdir, (DIR *dir), (dir)) \
	X(int, readdir_r, (DIR *dir, struct dirent *into, struct dirent **result), (dir, into, result)) \
	X(void, rewinddir, (DIR *dir), (dir)) \
	X(void, seekdir, (DIR *dir, long position), (dir, position)) \
	X(long, telldir, (DIR *dir), (dir)) \
	X(int, chdir, (const char *path), (path)) \
	X(int, fchdir, (int fd), (fd)) \
	X(char *, getcwd, (char *into, size_t size), (into, size)) \
	X(int, scandir, (const char *path, struct dirent ***list, hooks_filter filter, hooks_order order), \
	  (path, list, filter, order)) \
	X(int, glob, (const char *pattern, int flags, hooks_failed failed, glob_t *result), \
	  (pattern, flags, failed, result)) \
	X(int, nftw, (const char *path, hooks_visit visit, int descriptors, int flags), (path, visit, descriptors, flags)) \
	X(int, ftw, (const char *path, hooks_plain_visit visit, int descriptors), (path, visit, descriptors)) \
	X(FILE *, fopen, (const char *path, const char *mode), (path, mode)) \
	X(FILE *, freopen, (const char *path, const char *mode, FILE *old), (path, mode, old)) \
	X(void *, mmap, (void *at, size_t length, int protection, int flags, int fd, off_t offset), \
	  (at, length, protection, flags, fd, offset)) \
	X(int, flock, (int fd, int operation), (fd, operation)) \
	X(int, lockf, (int fd, int command, off_t length), (fd, command, length)) \
	X(int, mknod, (const char *path, mode_t mode, dev_t device), (path, mode, device)) \
	X(int, mknodat, (int dirfd, const char *path, mode_t mode, dev_t device), (dirfd, path, mode, device)) \
	X(int, mkfifo, (const char *path, mode_t mode), (path, mode)) \
	X(int, mkfifoat, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode)) \
	X(int, mkstemp, (char *path), (path)) \
	X(int, mkostemp, (char *path, int flags), (path, flags)) \
	X(int, mkstemps, (char *path, int suffix), (path, suffix)) \
	X(int, mkostemps, (char *path, int suffix, int flags), (path, suffix, flags)) \
	X(char *, mkdtemp, (char *path), (path)) \
	X(char *, mktemp, (char *path), (path)) \
	X(int, poll, (struct pollfd *all, nfds_t count, int timeout), (all, count, timeout)) \
	X(int, select, (int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout), \
	  (count, reads, writes, others, timeout)) \
	X(int, pselect, \
	  (int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *timeout, const sigset_t *mask), \
	  (count, reads, writes, others, timeout, mask))

#define LAYER_FILES_LINUX_HOOKS(X) \
	X(ssize_t, preadv2, (int fd, const struct iovec *parts, int count, off_t offset, int flags), \
	  (fd, parts, count, offset, flags)) \
	X(ssize_t, pwritev2, (int fd, const struct iovec *parts, int count, off_t offset, int flags), \
	  (fd, parts, count, offset, flags)) \
	X(ssize_t, readahead, (int fd, off_t offset, size_t count), (fd, offset, count)) \
	X(int, sync_file_range, (int fd, off_t offset, off_t count, unsigned int flags), (fd, offset, count, flags)) \
	X(int, statx, (int dirfd, const char *path, int flags, unsigned int mask, void *into), \
	  (dirfd, path, flags, mask, into)) \
	X(int, eaccess, (const char *path, int mode), (path, mode)) \
	X(int, statfs, (const char *path, struct statfs *into), (path, into)) \
	X(int, fstatfs, (int fd, struct statfs *into), (fd, into)) \
	X(int, futimesat, (int dirfd, const char *path, const struct timeval *times), (dirfd, path, times)) \
	X(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length)) \
	X(int, posix_fallocate, (int fd, off_t offset, off_t length), (fd, offset, length)) \
	X(char *, get_current_dir_name, (void), ()) \
	X(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask)) \
	X(int, fanotify_mark, (int fd, unsigned int flags, uint64_t mask, int dirfd, const char *path), \
	  (fd, flags, mask, dirfd, path)) \
	X(FILE *, setmntent, (const char *path, const char *mode), (path, mode)) \
	X(ssize_t, sendfile, (int to, int from, off_t *offset, size_t count), (to, from, offset, count)) \
	X(ssize_t, copy_file_range, \
	  (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags), \
	  (from, from_offset, to, to_offset, count, flags)) \
	X(ssize_t, splice, (int from, off_t *from_offset, int to, off_t *to_offset, size_t count, unsigned int flags), \
	  (from, from_offset, to, to_offset, count, flags)) \
	X(int, epoll_ctl, (int queue, int operation, int fd, void *event), (queue, operation, fd, event)) \
	X(ssize_t, getxattr, (const char *path, const char *name, void *value, size_t size), \
	  (path, name, value, size)) \
	X(ssize_t, lgetxattr, (const char *path, const char *name, void *value, size_t size), \
	  (path, name, value, size)) \
	X(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size), (fd, name, value, size)) \
	X(int, setxattr, (const char *path, const char *name, const void *value, size_t size, int flags), \
	  (path, name, value, size, flags)) \
	X(int, lsetxattr, (const char *path, const char *name, const void *value, size_t size, int flags), \
	  (path, name, value, size, flags)) \
	X(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), \
	  (fd, name, value, size, flags)) \
	X(ssize_t, listxattr, (const char *path, char *list, size_t size), (path, list, size)) \
	X(ssize_t, llistxattr, (const char *path, char *list, size_t size), (path, list, size)) \
	X(ssize_t, flistxattr, (int fd, char *list, size_t size), (fd, list, size)) \
	X(int, removexattr, (const char *path, const char *name), (path, name)) \
	X(int, lremovexattr, (const char *path, const char *name), (path, name)) \
	X(int, fremovexattr, (int fd, const char *name), (fd, name)) \
	X(long, syscall, (long number, long a, long b, long c, long d, long e, long f), (number, a, b, c, d, e, f)) \
	X(int, ppoll, (struct pollfd *all, nfds_t count, const struct timespec *timeout, const sigset_t *mask), \
	  (all, count, timeout, mask))

/* What the target's kernel cannot be asked for is ENOTSUP there: preload/hooks_files_darwin.c. */
#define LAYER_FILES_DARWIN_HOOKS(X) \
	X(FILE *, fdopen, (int fd, const char *mode), (fd, mode)) \
	X(int, statfs, (const char *path, struct statfs *into), (path, into)) \
	X(int, fstatfs, (int fd, struct statfs *into), (fd, into)) \
	X(int, getattrlist, (const char *path, void *list, void *into, size_t size, unsigned int options), \
	  (path, list, into, size, options)) \
	X(int, fgetattrlist, (int fd, void *list, void *into, size_t size, unsigned int options), \
	  (fd, list, into, size, options)) \
	X(int, getattrlistat, (int dirfd, const char *path, void *list, void *into, size_t size, unsigned long options), \
	  (dirfd, path, list, into, size, options)) \
	X(int, getattrlistbulk, (int dirfd, void *list, void *into, size_t size, uint64_t options), \
	  (dirfd, list, into, size, options)) \
	X(int, setattrlist, (const char *path, void *list, void *from, size_t size, unsigned int options), \
	  (path, list, from, size, options)) \
	X(int, fsetattrlist, (int fd, void *list, void *from, size_t size, unsigned int options), \
	  (fd, list, from, size, options)) \
	X(int, setattrlistat, (int dirfd, const char *path, void *list, void *from, size_t size, uint32_t options), \
	  (dirfd, path, list, from, size, options)) \
	X(ssize_t, getxattr, \
	  (const char *path, const char *name, void *value, size_t size, uint32_t position, int options), \
	  (path, name, value, size, position, options)) \
	X(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size, uint32_t position, int options), \
	  (fd, name, value, size, position, options)) \
	X(int, setxattr, \
	  (const char *path, const char *name, const void *value, size_t size, uint32_t position, int options), \
	  (path, name, value, size, position, options)) \
	X(int, fsetxattr, (int fd, const char *name, const void *value, size_t size, uint32_t position, int options), \
	  (fd, name, value, size, position, options)) \
	X(ssize_t, listxattr, (const char *path, char *list, size_t size, int options), (path, list, size, options)) \
	X(ssize_t, flistxattr, (int fd, char *list, size_t size, int options), (fd, list, size, options)) \
	X(int, removexattr, (const char *path, const char *name, int options), (path, name, options)) \
	X(int, fremovexattr, (int fd, const char *name, int options), (fd, name, options)) \
	X(int, chflags, (const char *path, unsigned int flags), (path, flags)) \
	X(int, lchflags, (const char *path, unsigned int flags), (path, flags)) \
	X(int, fchflags, (int fd, unsigned int flags), (fd, flags)) \
	X(int, clonefile, (const char *from, const char *to, uint32_t flags), (from, to, flags)) \
	X(int, clonefileat, (int from_dir, const char *from, int to_dir, const char *to, uint32_t flags), \
	  (from_dir, from, to_dir, to, flags)) \
	X(int, fclonefileat, (int from, int to_dir, const char *to, uint32_t flags), (from, to_dir, to, flags)) \
	X(int, copyfile, (const char *from, const char *to, void *state, uint32_t flags), (from, to, state, flags)) \
	X(int, fcopyfile, (int from, int to, void *state, uint32_t flags), (from, to, state, flags)) \
	X(int, exchangedata, (const char *one, const char *other, unsigned int options), (one, other, options)) \
	X(int, renamex_np, (const char *from, const char *to, unsigned int flags), (from, to, flags)) \
	X(int, renameatx_np, (int from_dir, const char *from, int to_dir, const char *to, unsigned int flags), \
	  (from_dir, from, to_dir, to, flags)) \
	X(int, sendfile, (int from, int to, off_t offset, off_t *length, void *around, int flags), \
	  (from, to, offset, length, around, flags)) \
	X(char *, getwd, (char *into), (into)) \
	X(void *, fts_open, (char *const *paths, int options, void *order), (paths, options, order))

/* What glibc exports and musl does not: there programs make them by syscall(2). */
#define LAYER_FILES_NUMBERED_HOOKS(X) \
	X(int, renameat2, (int from_dir, const char *from, int to_dir, const char *to, unsigned int flags), \
	  (from_dir, from, to_dir, to, flags)) \
	X(ssize_t, getdents64, (int fd, void *into, size_t size), (fd, into, size))

#define LAYER_FILES_GLIBC_HOOKS(X) \
	X(int, __open_2, (const char *path, int flags), (path, flags)) \
	X(int, __openat_2, (int dirfd, const char *path, int flags), (dirfd, path, flags)) \
	X(ssize_t, __read_chk, (int fd, void *into, size_t count, size_t size), (fd, into, count, size)) \
	X(ssize_t, __pread_chk, (int fd, void *into, size_t count, off_t offset, size_t size), \
	  (fd, into, count, offset, size)) \
	X(int, __xstat, (int version, const char *path, struct stat *into), (version, path, into)) \
	X(int, __lxstat, (int version, const char *path, struct stat *into), (version, path, into)) \
	X(int, __fxstat, (int version, int fd, struct stat *into), (version, fd, into)) \
	X(int, __fxstatat, (int version, int dirfd, const char *path, struct stat *into, int flags), \
	  (version, dirfd, path, into, flags)) \
	X(ssize_t, __readlink_chk, (const char *path, char *into, size_t count, size_t size), \
	  (path, into, count, size)) \
	X(ssize_t, __readlinkat_chk, (int dirfd, const char *path, char *into, size_t count, size_t size), \
	  (dirfd, path, into, count, size)) \
	X(char *, canonicalize_file_name, (const char *path), (path)) \
	X(char *, __realpath_chk, (const char *path, char *resolved, size_t size), (path, resolved, size)) \
	X(char *, __getcwd_chk, (char *into, size_t count, size_t size), (into, count, size)) \
	X(char *, getwd, (char *into), (into)) \
	X(char *, __getwd_chk, (char *into, size_t size), (into, size)) \
	X(int, scandirat, \
	  (int dirfd, const char *path, struct dirent ***list, hooks_filter filter, hooks_order order), \
	  (dirfd, path, list, filter, order)) \
	X(FTS *, fts_open, (char *const *paths, int options, hooks_fts_order order), (paths, options, order)) \
	X(FTSENT *, fts_read, (FTS *stream), (stream)) \
	X(FTSENT *, fts_children, (FTS *stream, int options), (stream, options)) \
	X(int, fts_close, (FTS *stream), (stream)) \
	X(int, __xmknod, (int version, const char *path, mode_t mode, dev_t *device), (version, path, mode, device)) \
	X(int, __xmknodat, (int version, int dirfd, const char *path, mode_t mode, dev_t *device), \
	  (version, dirfd, path, mode, device)) \
	X(int, __poll_chk, (struct pollfd *all, nfds_t count, int timeout, size_t size), (all, count, timeout, size))

/* With musl too: for programs that were built before its 1.2.4. */
#define LAYER_FILES_LINUX_ALIASES(X) \
	X(open64, open) \
	X(openat64, openat) \
	X(creat64, creat) \
	X(pread64, pread) \
	X(preadv64, preadv) \
	X(pwrite64, pwrite) \
	X(pwritev64, pwritev) \
	X(lseek64, lseek) \
	X(stat64, stat) \
	X(lstat64, lstat) \
	X(fstat64, fstat) \
	X(fstatat64, fstatat) \
	X(euidaccess, eaccess) \
	X(statfs64, statfs) \
	X(fstatfs64, fstatfs) \
	X(statvfs64, statvfs) \
	X(fstatvfs64, fstatvfs) \
	X(truncate64, truncate) \
	X(ftruncate64, ftruncate) \
	X(fallocate64, fallocate) \
	X(posix_fallocate64, posix_fallocate) \
	X(readdir64, readdir) \
	X(readdir64_r, readdir_r) \
	X(scandir64, scandir) \
	X(glob64, glob) \
	X(nftw64, nftw) \
	X(ftw64, ftw) \
	X(fopen64, fopen) \
	X(freopen64, freopen) \
	X(mmap64, mmap) \
	X(sendfile64, sendfile) \
	X(lockf64, lockf) \
	X(mkstemp64, mkstemp) \
	X(mkostemp64, mkostemp) \
	X(mkstemps64, mkstemps) \
	X(mkostemps64, mkostemps)

#define LAYER_FILES_GLIBC_ALIASES(X) \
	X(__open, open) \
	X(__open64, open) \
	X(__open64_2, __open_2) \
	X(__openat64_2, __openat_2) \
	X(__read, read) \
	X(__pread64, pread) \
	X(preadv64v2, preadv2) \
	X(__pread64_chk, __pread_chk) \
	X(__write, write) \
	X(__pwrite64, pwrite) \
	X(pwritev64v2, pwritev2) \
	X(__lseek, lseek) \
	X(__xstat64, __xstat) \
	X(__lxstat64, __lxstat) \
	X(__fxstat64, __fxstat) \
	X(__fxstatat64, __fxstatat) \
	X(scandirat64, scandirat) \
	X(fts64_open, fts_open) \
	X(fts64_read, fts_read) \
	X(fts64_children, fts_children) \
	X(fts64_close, fts_close)

/* What only musl has: getdents(2), and streams, which are led one by one (preload/libc/stream_musl.c). */
#define LAYER_FILES_MUSL_HOOKS(X) \
	X(int, getdents, (int fd, struct dirent *into, size_t size), (fd, into, size)) \
	X(FILE *, fdopen, (int fd, const char *mode), (fd, mode))

#define LAYER_FILES_MUSL_ALIASES(X) X(getdents64, getdents)

#endif
