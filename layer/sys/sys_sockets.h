/*
 * What operations do to the app's sockets. As in sys.h: past libc and the layer's hooks, result or -errno,
 * errno unchanged.
 */
#ifndef LAYER_SYS_SOCKETS_H
#define LAYER_SYS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

int sys_bind(int fd, const struct sockaddr *address, socklen_t length);
int sys_listen(int fd, int backlog);
int sys_connect(int fd, const struct sockaddr *address, socklen_t length);
/* Does the TCP socket wait for its connection? Not so once it is connected or failed. */
bool sys_is_connecting(int fd);
/* Is a stream socket of IP one of TCP, and not of MPTCP or SCTP? */
bool sys_is_tcp(int fd);
/* Two ends of a Unix datagram socket, connected, close-on-exec. 0 or -errno. */
int sys_pair(int ends[2]);
/* One datagram, at once or not at all. 0 or -errno; bytes received or -errno. */
int sys_send_part(int fd, const void *bytes, size_t count);
long sys_receive_part(int fd, void *bytes, size_t count);
/* A new socket of the same kind and options, unbound, close-on-exec. */
int sys_twin(int fd);
/* The descriptor `of` becomes one of the socket `fd`, and keeps its close-on-exec flag. 0 or -errno. */
int sys_take_place(int fd, int of);

#endif
