/*
 * The system calls of a Go program that are the layer's business, one line each: X(number, call), where the call has the
 * six arguments a to f. go_linux.c leads Go's own system calls here. Called by nobody else.
 * A number that is not in the list goes to the kernel as it is.
 */
#ifndef LAYER_GO_H
#define LAYER_GO_H

#include <sys/syscall.h>

#include "../hooks.h"

/* Numbers that old headers lack (asm/unistd.h). */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define GO_ADDRESS(value) ((struct sockaddr *)(value))
#define GO_LENGTH(value) ((socklen_t *)(value))

#define GO_CALLS(X) \
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
