/*
 * Included before a program of tests/apps: the calls of sockets go by syscall(2).
 * tests/layer/syscalls_test.ts builds so.
 */
#ifndef BY_NUMBER_H
#define BY_NUMBER_H

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static inline int connect_by_number(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)syscall(SYS_connect, fd, address, length);
}

#define dlsym(where, name) (strcmp(name, "connect") == 0 ? (void *)connect_by_number : dlsym(where, name))
#define BY_NUMBER(name, ...) syscall(SYS_##name, __VA_ARGS__)
#define bind(...) BY_NUMBER(bind, __VA_ARGS__)
#define listen(...) BY_NUMBER(listen, __VA_ARGS__)
#define accept4(...) BY_NUMBER(accept4, __VA_ARGS__)
#define getsockname(...) BY_NUMBER(getsockname, __VA_ARGS__)
#define getpeername(...) BY_NUMBER(getpeername, __VA_ARGS__)
#define connect(...) BY_NUMBER(connect, __VA_ARGS__)
#define getsockopt(...) BY_NUMBER(getsockopt, __VA_ARGS__)
#define sendto(...) BY_NUMBER(sendto, __VA_ARGS__)
#define sendmsg(...) BY_NUMBER(sendmsg, __VA_ARGS__)
#define sendmmsg(...) BY_NUMBER(sendmmsg, __VA_ARGS__)
#define recvfrom(...) BY_NUMBER(recvfrom, __VA_ARGS__)
#define recvmsg(...) BY_NUMBER(recvmsg, __VA_ARGS__)
#define recvmmsg(...) BY_NUMBER(recvmmsg, __VA_ARGS__)
#define dup(...) BY_NUMBER(dup, __VA_ARGS__)
#define close(...) BY_NUMBER(close, __VA_ARGS__)

#endif
