/*
 * The kernel calls that the layer makes for itself, past libc and past its own hooks. They return the result
 * or -errno and leave errno alone; none is a cancellation point. Implemented per platform here.
 */
#ifndef LAYER_SYS_H
#define LAYER_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Every signal blocked, and the mask to go back to. */
struct sys_signals {
	uint64_t mask;
};

pid_t sys_getpid(void);
pid_t sys_gettid(void);
/* Is thread `tid` of this process alive? */
bool sys_thread_lives(pid_t tid);
/* Does this thread run on the stack of sigaltstack(2)? */
bool sys_on_signal_stack(void);
/* Milliseconds of a clock that only goes forward. */
int64_t sys_now(void);
pid_t sys_getppid(void);
bool sys_is_root(void);
void sys_block_signals(struct sys_signals *before);
void sys_restore_signals(const struct sys_signals *before);

/* A new Unix stream socket connected to `path`, close-on-exec, at a high number that apps do not use. */
int sys_connect_unix(const char *path);
/* Another descriptor of `fd`, close-on-exec, at a high number. */
int sys_dup_high(int fd);
int sys_close(int fd);
/* Sends or receives exactly `length` bytes; -EPIPE when the peer is gone. Never raises SIGPIPE. */
int sys_send_all(int fd, const void *bytes, size_t length);
int sys_receive_all(int fd, void *bytes, size_t length);
/*
 * Until there is something to receive: 1, also when the peer is gone or `fd` is none; 0 after `timeout` ms
 * (-1: never); -EINTR after a handler of one of the signals that `let_in` opens: without a timeout only after
 * one without SA_RESTART.
 */
int sys_await_bytes(int fd, int timeout, const struct sys_signals *let_in);

int sys_getsockname(int fd, struct sockaddr *address, socklen_t *length);
int sys_getpeername(int fd, struct sockaddr *address, socklen_t *length);
/* Value of an integer option of level SOL_SOCKET. */
int sys_socket_option(int fd, int option);
/* The process that listened where the Unix socket `fd` is connected to; 0 when it is not known. */
pid_t sys_peer_process(int fd);
/* The identity of an open object: a socket's cookie (device 0), otherwise device and inode. */
struct sys_identity {
	uint64_t device;
	uint64_t number;
};
/*
 * Two descriptors of one object share it; -EBADF. A socket's is never used twice, an inode's not while it is
 * open.
 */
int sys_identity(int fd, struct sys_identity *identity);
/* Is `fd` the object with that identity? */
bool sys_is(int fd, const struct sys_identity *identity);
/* Value of an integer option of any level, its first byte where it is longer; and setting one. */
int sys_option(int fd, int level, int option);
int sys_set_option(int fd, int level, int option, int value);
/* O_NONBLOCK of the open socket: what it was, and setting it. */
int sys_nonblocking(int fd);
void sys_set_nonblocking(int fd, bool on);
/*
 * connect(2) with AF_UNSPEC: a listening socket stops listening, a connected one is free again; it stays
 * bound.
 */
int sys_dissolve(int fd);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);

/* Path of the running program, cut to `size`, not terminated; its length. */
int sys_executable(char *path, size_t size);
/*
 * Zeroed memory that costs nothing until touched; with `wiped`, a fork child finds it zeroed. NULL on
 * failure.
 */
void *sys_map(size_t size, bool wiped);
void sys_unmap(void *memory, size_t size);
/*
 * Until word is not `seen` and sys_wake_word() is called, or for `timeout` ms (-1: no end). 0, -EINTR,
 * -ETIMEDOUT; without a timeout -EINTR only when a handler without SA_RESTART ran.
 */
int sys_wait_word(_Atomic(uint32_t) *word, uint32_t seen, int64_t timeout);
void sys_wake_word(_Atomic(uint32_t) *word);
/* Wakes all waiting threads, not one. */
void sys_wake_all(_Atomic(uint32_t) *word);
/* A lock word: 0 free, 1 taken, 2 taken and waited for. Not recursive, no owner. */
bool sys_try_lock(_Atomic(uint32_t) *word);
void sys_lock(_Atomic(uint32_t) *word);
void sys_unlock(_Atomic(uint32_t) *word);

/* Runs `before` and `parent` around libc's fork, `child` in every child that it makes. */
void sys_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void));
/* This process gets SIGTERM when its parent `parent` ends; at once when it has ended already. */
void sys_die_with(pid_t parent);

#endif
