/*
 * The system calls that the layer hooks, one line each: X(number, call), where the call has the six arguments
 * a to f and is libc's of that name. Programs make them by syscall(2) (syscalls_linux.c) or, in Go, by
 * themselves (preload/go_linux.c). A number that is not in the list goes to the kernel unchanged.
 */
#ifndef LAYER_SYSCALLS_H
#define LAYER_SYSCALLS_H

#include <stdbool.h>
#include <sys/syscall.h>

#include "../hooks.h"

struct syscalls_how;
/* openat2(2), ppoll(2) and pselect6(2) as the kernel has them; futimens(3) is utimensat(2) without a path. */
long syscalls_openat2(int dirfd, const char *path, const struct syscalls_how *how, size_t size);
int syscalls_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timespec *timeout, const void *mask);
int syscalls_utimensat(int dirfd, const char *path, const struct timespec *times, int flags);
long syscalls_getcwd(char *into, size_t size);

/* Makes the call, if the list has it, and as libc does: -1 and errno on failure. */
bool syscalls_call(long number, const long arguments[6], long *result);

/* Numbers that are missing in old headers (asm/unistd.h). */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define CALL_ADDRESS(value) ((struct sockaddr *)(value))
#define CALL_LENGTH(value) ((socklen_t *)(value))

#define CALL_PATH(value) ((const char *)(value))
#define CALL_STAT(value) ((struct stat *)(value))
#define CALL_PARTS(value) ((const struct iovec *)(value))
#define CALL_OFFSET(value) ((off_t *)(value))

#define SYSCALLS(X) \
	SYSCALLS_SOCKETS(X) \
	SYSCALLS_FILES(X) \
	SYSCALLS_OLD(X) \
	SYSCALLS_ATTRIBUTES(X) \
	SYSCALLS_READY(X) \
	X(SYS_execve, layer_execve(CALL_PATH(a), (char *const *)b, (char *const *)c)) \
	X(SYS_execveat, layer_execveat((int)a, CALL_PATH(b), (char *const *)c, (char *const *)d, (int)e))

/* Those that machines younger than x86_64 do not have. */
#ifdef SYS_open
#define SYSCALLS_OLD(X) \
	X(SYS_open, layer_open(CALL_PATH(a), (int)b, (mode_t)c)) \
	X(SYS_creat, layer_creat(CALL_PATH(a), (mode_t)b)) \
	X(SYS_stat, layer_stat(CALL_PATH(a), CALL_STAT(b))) \
	X(SYS_lstat, layer_lstat(CALL_PATH(a), CALL_STAT(b))) \
	X(SYS_access, layer_access(CALL_PATH(a), (int)b)) \
	X(SYS_readlink, layer_readlink(CALL_PATH(a), (char *)b, (size_t)c)) \
	X(SYS_mkdir, layer_mkdir(CALL_PATH(a), (mode_t)b)) \
	X(SYS_rmdir, layer_rmdir(CALL_PATH(a))) \
	X(SYS_unlink, layer_unlink(CALL_PATH(a))) \
	X(SYS_rename, layer_rename(CALL_PATH(a), CALL_PATH(b))) \
	X(SYS_link, layer_link(CALL_PATH(a), CALL_PATH(b))) \
	X(SYS_symlink, layer_symlink(CALL_PATH(a), CALL_PATH(b))) \
	X(SYS_mknod, layer_mknod(CALL_PATH(a), (mode_t)b, (dev_t)c)) \
	X(SYS_chmod, layer_chmod(CALL_PATH(a), (mode_t)b)) \
	X(SYS_chown, layer_chown(CALL_PATH(a), (uid_t)b, (gid_t)c)) \
	X(SYS_lchown, layer_lchown(CALL_PATH(a), (uid_t)b, (gid_t)c)) \
	X(SYS_utime, layer_utime(CALL_PATH(a), (const struct utimbuf *)b)) \
	X(SYS_utimes, layer_utimes(CALL_PATH(a), (const struct timeval *)b)) \
	X(SYS_futimesat, layer_futimesat((int)a, CALL_PATH(b), (const struct timeval *)c)) \
	X(SYS_dup2, layer_dup2((int)a, (int)b)) \
	X(SYS_poll, layer_poll((struct pollfd *)a, (nfds_t)b, (int)c)) \
	X(SYS_select, layer_select((int)a, (fd_set *)b, (fd_set *)c, (fd_set *)d, (struct timeval *)e))
#else
#define SYSCALLS_OLD(X)
#endif

#define SYSCALLS_READY(X) \
	X(SYS_ppoll, layer_ppoll((struct pollfd *)a, (nfds_t)b, (const struct timespec *)c, (const sigset_t *)d)) \
	X(SYS_pselect6, \
	  syscalls_pselect((int)a, (fd_set *)b, (fd_set *)c, (fd_set *)d, (struct timespec *)e, (const void *)f)) \
	X(SYS_epoll_ctl, layer_epoll_ctl((int)a, (int)b, (int)c, (void *)d))

#define SYSCALLS_ATTRIBUTES(X) \
	X(SYS_getxattr, layer_getxattr(CALL_PATH(a), CALL_PATH(b), (void *)c, (size_t)d)) \
	X(SYS_lgetxattr, layer_lgetxattr(CALL_PATH(a), CALL_PATH(b), (void *)c, (size_t)d)) \
	X(SYS_fgetxattr, layer_fgetxattr((int)a, CALL_PATH(b), (void *)c, (size_t)d)) \
	X(SYS_setxattr, layer_setxattr(CALL_PATH(a), CALL_PATH(b), (const void *)c, (size_t)d, (int)e)) \
	X(SYS_lsetxattr, layer_lsetxattr(CALL_PATH(a), CALL_PATH(b), (const void *)c, (size_t)d, (int)e)) \
	X(SYS_fsetxattr, layer_fsetxattr((int)a, CALL_PATH(b), (const void *)c, (size_t)d, (int)e)) \
	X(SYS_listxattr, layer_listxattr(CALL_PATH(a), (char *)b, (size_t)c)) \
	X(SYS_llistxattr, layer_llistxattr(CALL_PATH(a), (char *)b, (size_t)c)) \
	X(SYS_flistxattr, layer_flistxattr((int)a, (char *)b, (size_t)c)) \
	X(SYS_removexattr, layer_removexattr(CALL_PATH(a), CALL_PATH(b))) \
	X(SYS_lremovexattr, layer_lremovexattr(CALL_PATH(a), CALL_PATH(b))) \
	X(SYS_fremovexattr, layer_fremovexattr((int)a, CALL_PATH(b)))

#define SYSCALLS_FILES(X) \
	X(SYS_openat, layer_openat((int)a, CALL_PATH(b), (int)c, (mode_t)d)) \
	X(SYS_openat2, syscalls_openat2((int)a, CALL_PATH(b), (const struct syscalls_how *)c, (size_t)d)) \
	X(SYS_read, layer_read((int)a, (void *)b, (size_t)c)) \
	X(SYS_pread64, layer_pread((int)a, (void *)b, (size_t)c, (off_t)d)) \
	X(SYS_readv, layer_readv((int)a, CALL_PARTS(b), (int)c)) \
	X(SYS_preadv, layer_preadv((int)a, CALL_PARTS(b), (int)c, (off_t)d)) \
	X(SYS_write, layer_write((int)a, (const void *)b, (size_t)c)) \
	X(SYS_pwrite64, layer_pwrite((int)a, (const void *)b, (size_t)c, (off_t)d)) \
	X(SYS_writev, layer_writev((int)a, CALL_PARTS(b), (int)c)) \
	X(SYS_pwritev, layer_pwritev((int)a, CALL_PARTS(b), (int)c, (off_t)d)) \
	X(SYS_preadv2, layer_preadv2((int)a, CALL_PARTS(b), (int)c, (off_t)d, (int)f)) \
	X(SYS_pwritev2, layer_pwritev2((int)a, CALL_PARTS(b), (int)c, (off_t)d, (int)f)) \
	X(SYS_lseek, layer_lseek((int)a, (off_t)b, (int)c)) \
	X(SYS_fstat, layer_fstat((int)a, CALL_STAT(b))) \
	X(SYS_newfstatat, layer_fstatat((int)a, CALL_PATH(b), CALL_STAT(c), (int)d)) \
	X(SYS_statx, layer_statx((int)a, CALL_PATH(b), (int)c, (unsigned int)d, (void *)e)) \
	X(SYS_faccessat, layer_faccessat((int)a, CALL_PATH(b), (int)c, 0)) \
	X(SYS_faccessat2, layer_faccessat((int)a, CALL_PATH(b), (int)c, (int)d)) \
	X(SYS_readlinkat, layer_readlinkat((int)a, CALL_PATH(b), (char *)c, (size_t)d)) \
	X(SYS_getdents64, layer_getdents64((int)a, (void *)b, (size_t)c)) \
	X(SYS_chdir, layer_chdir(CALL_PATH(a))) \
	X(SYS_fchdir, layer_fchdir((int)a)) \
	X(SYS_getcwd, syscalls_getcwd((char *)a, (size_t)b)) \
	X(SYS_statfs, layer_statfs(CALL_PATH(a), (struct statfs *)b)) \
	X(SYS_fstatfs, layer_fstatfs((int)a, (struct statfs *)b)) \
	X(SYS_inotify_add_watch, layer_inotify_add_watch((int)a, CALL_PATH(b), (uint32_t)c)) \
	X(SYS_fanotify_mark, layer_fanotify_mark((int)a, (unsigned int)b, (uint64_t)c, (int)d, CALL_PATH(e))) \
	X(SYS_mkdirat, layer_mkdirat((int)a, CALL_PATH(b), (mode_t)c)) \
	X(SYS_unlinkat, layer_unlinkat((int)a, CALL_PATH(b), (int)c)) \
	X(SYS_renameat, layer_renameat((int)a, CALL_PATH(b), (int)c, CALL_PATH(d))) \
	X(SYS_renameat2, layer_renameat2((int)a, CALL_PATH(b), (int)c, CALL_PATH(d), (unsigned int)e)) \
	X(SYS_linkat, layer_linkat((int)a, CALL_PATH(b), (int)c, CALL_PATH(d), (int)e)) \
	X(SYS_symlinkat, layer_symlinkat(CALL_PATH(a), (int)b, CALL_PATH(c))) \
	X(SYS_fchmod, layer_fchmod((int)a, (mode_t)b)) \
	X(SYS_fchmodat, layer_fchmodat((int)a, CALL_PATH(b), (mode_t)c, 0)) \
	X(SYS_fchmodat2, layer_fchmodat((int)a, CALL_PATH(b), (mode_t)c, (int)d)) \
	X(SYS_mknodat, layer_mknodat((int)a, CALL_PATH(b), (mode_t)c, (dev_t)d)) \
	X(SYS_fchown, layer_fchown((int)a, (uid_t)b, (gid_t)c)) \
	X(SYS_fchownat, layer_fchownat((int)a, CALL_PATH(b), (uid_t)c, (gid_t)d, (int)e)) \
	X(SYS_utimensat, syscalls_utimensat((int)a, CALL_PATH(b), (const struct timespec *)c, (int)d)) \
	X(SYS_truncate, layer_truncate(CALL_PATH(a), (off_t)b)) \
	X(SYS_ftruncate, layer_ftruncate((int)a, (off_t)b)) \
	X(SYS_fsync, layer_fsync((int)a)) \
	X(SYS_fdatasync, layer_fdatasync((int)a)) \
	X(SYS_fallocate, layer_fallocate((int)a, (int)b, (off_t)c, (off_t)d)) \
	X(SYS_mmap, layer_mmap((void *)a, (size_t)b, (int)c, (int)d, (int)e, (off_t)f)) \
	X(SYS_sendfile, layer_sendfile((int)a, (int)b, CALL_OFFSET(c), (size_t)d)) \
	X(SYS_copy_file_range, \
	  layer_copy_file_range((int)a, CALL_OFFSET(b), (int)c, CALL_OFFSET(d), (size_t)e, (unsigned int)f)) \
	X(SYS_splice, layer_splice((int)a, CALL_OFFSET(b), (int)c, CALL_OFFSET(d), (size_t)e, (unsigned int)f)) \
	X(SYS_flock, layer_flock((int)a, (int)b))

#define SYSCALLS_SOCKETS(X) \
	X(SYS_bind, layer_bind((int)a, CALL_ADDRESS(b), (socklen_t)c)) \
	X(SYS_listen, layer_listen((int)a, (int)b)) \
	X(SYS_accept, layer_accept((int)a, CALL_ADDRESS(b), CALL_LENGTH(c))) \
	X(SYS_accept4, layer_accept4((int)a, CALL_ADDRESS(b), CALL_LENGTH(c), (int)d)) \
	X(SYS_getsockname, layer_getsockname((int)a, CALL_ADDRESS(b), CALL_LENGTH(c))) \
	X(SYS_getpeername, layer_getpeername((int)a, CALL_ADDRESS(b), CALL_LENGTH(c))) \
	X(SYS_close, layer_close((int)a)) \
	X(SYS_dup, layer_dup((int)a)) \
	X(SYS_dup3, layer_dup3((int)a, (int)b, (int)c)) \
	X(SYS_fcntl, layer_fcntl((int)a, (int)b, c)) \
	X(SYS_uname, layer_uname((struct utsname *)a)) \
	X(SYS_close_range, layer_close_range((unsigned int)a, (unsigned int)b, (int)c)) \
	X(SYS_shutdown, layer_shutdown((int)a, (int)b)) \
	X(SYS_setsockopt, layer_setsockopt((int)a, (int)b, (int)c, (const void *)d, (socklen_t)e)) \
	X(SYS_connect, layer_connect((int)a, CALL_ADDRESS(b), (socklen_t)c)) \
	X(SYS_getsockopt, layer_getsockopt((int)a, (int)b, (int)c, (void *)d, CALL_LENGTH(e))) \
	X(SYS_sendto, layer_sendto((int)a, (void *)b, (size_t)c, (int)d, CALL_ADDRESS(e), (socklen_t)f)) \
	X(SYS_sendmsg, layer_sendmsg((int)a, (struct msghdr *)b, (int)c)) \
	X(SYS_sendmmsg, layer_sendmmsg((int)a, (struct mmsghdr *)b, (unsigned int)c, (int)d)) \
	X(SYS_recvfrom, layer_recvfrom((int)a, (void *)b, (size_t)c, (int)d, CALL_ADDRESS(e), CALL_LENGTH(f))) \
	X(SYS_recvmsg, layer_recvmsg((int)a, (struct msghdr *)b, (int)c)) \
	X(SYS_ioctl, layer_ioctl((int)a, (unsigned long)b, (void *)c)) \
	X(SYS_recvmmsg, \
	  layer_recvmmsg((int)a, (struct mmsghdr *)b, (unsigned int)c, (int)d, (struct timespec *)e))

#endif
