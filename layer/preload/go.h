/*
 * The system calls of a Go program that are the layer's business, one line each: X(number, call), where the call has the
 * six arguments a to f. go_linux.c leads Go's own system calls here. Called by nobody else.
 * A number that is not in the list goes to the kernel as it is.
 */
#ifndef LAYER_GO_H
#define LAYER_GO_H

#include <sys/syscall.h>

#include "../hooks.h"
#include "../ops/files.h"

/* Numbers that old headers lack (asm/unistd.h). */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define GO_ADDRESS(value) ((struct sockaddr *)(value))
#define GO_LENGTH(value) ((socklen_t *)(value))

#define GO_PATH(value) ((const char *)(value))
#define GO_STAT(value) ((struct stat *)(value))
#define GO_PARTS(value) ((const struct iovec *)(value))
#define GO_OFFSET(value) ((off_t *)(value))

#define GO_CALLS(X) \
	GO_SOCKET_CALLS(X) \
	GO_FILE_CALLS(X) \
	X(SYS_execve, (go_leaves(), layer_execve(GO_PATH(a), (char *const *)b, (char *const *)c))) \
	X(SYS_execveat, (go_leaves(), layer_execveat((int)a, GO_PATH(b), (char *const *)c, (char *const *)d, (int)e)))

#define GO_FILE_CALLS(X) \
	X(SYS_open, layer_open(GO_PATH(a), (int)b, (mode_t)c)) \
	X(SYS_openat, layer_openat((int)a, GO_PATH(b), (int)c, (mode_t)d)) \
	X(SYS_read, layer_read((int)a, (void *)b, (size_t)c)) \
	X(SYS_pread64, layer_pread((int)a, (void *)b, (size_t)c, (off_t)d)) \
	X(SYS_readv, layer_readv((int)a, GO_PARTS(b), (int)c)) \
	X(SYS_preadv, layer_preadv((int)a, GO_PARTS(b), (int)c, (off_t)d)) \
	X(SYS_write, layer_write((int)a, (const void *)b, (size_t)c)) \
	X(SYS_pwrite64, layer_pwrite((int)a, (const void *)b, (size_t)c, (off_t)d)) \
	X(SYS_writev, layer_writev((int)a, GO_PARTS(b), (int)c)) \
	X(SYS_pwritev, layer_pwritev((int)a, GO_PARTS(b), (int)c, (off_t)d)) \
	X(SYS_lseek, layer_lseek((int)a, (off_t)b, (int)c)) \
	X(SYS_fstat, layer_fstat((int)a, GO_STAT(b))) \
	X(SYS_stat, layer_stat(GO_PATH(a), GO_STAT(b))) \
	X(SYS_lstat, layer_lstat(GO_PATH(a), GO_STAT(b))) \
	X(SYS_newfstatat, layer_fstatat((int)a, GO_PATH(b), GO_STAT(c), (int)d)) \
	X(SYS_statx, layer_statx((int)a, GO_PATH(b), (int)c, (unsigned int)d, (void *)e)) \
	X(SYS_faccessat, layer_faccessat((int)a, GO_PATH(b), (int)c, 0)) \
	X(SYS_faccessat2, layer_faccessat((int)a, GO_PATH(b), (int)c, (int)d)) \
	X(SYS_readlinkat, layer_readlinkat((int)a, GO_PATH(b), (char *)c, (size_t)d)) \
	X(SYS_getdents64, layer_getdents64((int)a, (void *)b, (size_t)c)) \
	X(SYS_chdir, layer_chdir(GO_PATH(a))) \
	X(SYS_fchdir, layer_fchdir((int)a)) \
	X(SYS_getcwd, files_getcwd((char *)a, (size_t)b)) \
	X(SYS_statfs, layer_statfs(GO_PATH(a), (struct statfs *)b)) \
	X(SYS_fstatfs, layer_fstatfs((int)a, (struct statfs *)b)) \
	X(SYS_inotify_add_watch, layer_inotify_add_watch((int)a, GO_PATH(b), (uint32_t)c)) \
	X(SYS_mkdirat, layer_mkdirat((int)a, GO_PATH(b), (mode_t)c)) \
	X(SYS_unlinkat, layer_unlinkat((int)a, GO_PATH(b), (int)c)) \
	X(SYS_renameat, layer_renameat((int)a, GO_PATH(b), (int)c, GO_PATH(d))) \
	X(SYS_renameat2, layer_renameat2((int)a, GO_PATH(b), (int)c, GO_PATH(d), (unsigned int)e)) \
	X(SYS_linkat, layer_linkat((int)a, GO_PATH(b), (int)c, GO_PATH(d), (int)e)) \
	X(SYS_symlinkat, layer_symlinkat(GO_PATH(a), (int)b, GO_PATH(c))) \
	X(SYS_fchmod, layer_fchmod((int)a, (mode_t)b)) \
	X(SYS_fchmodat, layer_fchmodat((int)a, GO_PATH(b), (mode_t)c, 0)) \
	X(SYS_fchown, layer_fchown((int)a, (uid_t)b, (gid_t)c)) \
	X(SYS_fchownat, layer_fchownat((int)a, GO_PATH(b), (uid_t)c, (gid_t)d, (int)e)) \
	X(SYS_utimensat, layer_utimensat((int)a, GO_PATH(b), (const struct timespec *)c, (int)d)) \
	X(SYS_truncate, layer_truncate(GO_PATH(a), (off_t)b)) \
	X(SYS_ftruncate, layer_ftruncate((int)a, (off_t)b)) \
	X(SYS_fsync, layer_fsync((int)a)) \
	X(SYS_fdatasync, layer_fdatasync((int)a)) \
	X(SYS_fallocate, layer_fallocate((int)a, (int)b, (off_t)c, (off_t)d)) \
	X(SYS_mmap, layer_mmap((void *)a, (size_t)b, (int)c, (int)d, (int)e, (off_t)f)) \
	X(SYS_sendfile, layer_sendfile((int)a, (int)b, GO_OFFSET(c), (size_t)d)) \
	X(SYS_copy_file_range, \
	  layer_copy_file_range((int)a, GO_OFFSET(b), (int)c, GO_OFFSET(d), (size_t)e, (unsigned int)f)) \
	X(SYS_splice, layer_splice((int)a, GO_OFFSET(b), (int)c, GO_OFFSET(d), (size_t)e, (unsigned int)f)) \
	X(SYS_flock, layer_flock((int)a, (int)b)) \
	X(SYS_epoll_ctl, layer_epoll_ctl((int)a, (int)b, (int)c, (void *)d)) \
	X(SYS_getxattr, layer_getxattr(GO_PATH(a), GO_PATH(b), (void *)c, (size_t)d)) \
	X(SYS_listxattr, layer_listxattr(GO_PATH(a), (char *)b, (size_t)c))

#define GO_SOCKET_CALLS(X) \
	X(SYS_bind, layer_bind((int)a, GO_ADDRESS(b), (socklen_t)c)) \
	X(SYS_listen, layer_listen((int)a, (int)b)) \
	X(SYS_accept, layer_accept((int)a, GO_ADDRESS(b), GO_LENGTH(c))) \
	X(SYS_accept4, layer_accept4((int)a, GO_ADDRESS(b), GO_LENGTH(c), (int)d)) \
	X(SYS_getsockname, layer_getsockname((int)a, GO_ADDRESS(b), GO_LENGTH(c))) \
	X(SYS_getpeername, layer_getpeername((int)a, GO_ADDRESS(b), GO_LENGTH(c))) \
	X(SYS_close, layer_close((int)a)) \
	X(SYS_dup, layer_dup((int)a)) \
	X(SYS_dup2, layer_dup2((int)a, (int)b)) \
	X(SYS_dup3, layer_dup3((int)a, (int)b, (int)c)) \
	X(SYS_fcntl, layer_fcntl((int)a, (int)b, c)) \
	X(SYS_uname, layer_uname((struct utsname *)a)) \
	X(SYS_close_range, layer_close_range((unsigned int)a, (unsigned int)b, (int)c)) \
	X(SYS_connect, layer_connect((int)a, GO_ADDRESS(b), (socklen_t)c)) \
	X(SYS_getsockopt, layer_getsockopt((int)a, (int)b, (int)c, (void *)d, GO_LENGTH(e))) \
	X(SYS_sendto, layer_sendto((int)a, (void *)b, (size_t)c, (int)d, GO_ADDRESS(e), (socklen_t)f)) \
	X(SYS_sendmsg, layer_sendmsg((int)a, (struct msghdr *)b, (int)c)) \
	X(SYS_sendmmsg, layer_sendmmsg((int)a, (struct mmsghdr *)b, (unsigned int)c, (int)d)) \
	X(SYS_recvfrom, layer_recvfrom((int)a, (void *)b, (size_t)c, (int)d, GO_ADDRESS(e), GO_LENGTH(f))) \
	X(SYS_recvmsg, layer_recvmsg((int)a, (struct msghdr *)b, (int)c)) \
	X(SYS_recvmmsg, \
	  layer_recvmmsg((int)a, (struct mmsghdr *)b, (unsigned int)c, (int)d, (struct timespec *)e))

#endif
