/*
 * CALL(expression): a call of libSystem's, whose value becomes the result or -errno while errno stays as it
 * is. Of an inserted library dyld leaves its own calls alone, so no hook runs; the names with $NOCANCEL are
 * no cancellation points. Used by the files of Darwin in this folder only.
 */
#ifndef LAYER_CALLS_DARWIN_H
#define LAYER_CALLS_DARWIN_H

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CALL(expression) \
	({ \
		int saved_ = errno; \
		long result_ = (long)(expression); \
		if (result_ == -1) \
			result_ = -errno; \
		errno = saved_; \
		result_; \
	})

#define NO_CANCEL(name) __asm__("_" #name "$NOCANCEL")

int call_open(const char *path, int flags, ...) NO_CANCEL(open);
int call_close(int fd) NO_CANCEL(close);
int call_fcntl(int fd, int command, ...) NO_CANCEL(fcntl);
ssize_t call_read(int fd, void *into, size_t size) NO_CANCEL(read);
ssize_t call_pwrite(int fd, const void *from, size_t size, off_t offset) NO_CANCEL(pwrite);
int call_connect(int fd, const struct sockaddr *address, socklen_t length) NO_CANCEL(connect);
ssize_t call_sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t length) NO_CANCEL(sendto);
ssize_t call_recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from, socklen_t *length) NO_CANCEL(recvfrom);
int call_poll(struct pollfd *all, nfds_t count, int timeout) NO_CANCEL(poll);

#endif
