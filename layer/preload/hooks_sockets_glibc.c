/*
 * The checked calls of fortified programs that receive, which only glibc has: libc's own ends the app when
 * `room`, the buffer's, is too small. Called by preload/.
 */
#include "../hooks.h"
#include "edge_file.h"
#include "hooks_sockets_outgoing.h"

ssize_t layer___recv_chk(int fd, void *bytes, size_t count, size_t room, int flags)
{
	return edge_no_socket(fd) ? -1 : outgoing_told(fd, next___recv_chk(fd, bytes, count, room, flags));
}

ssize_t layer___recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address,
			     socklen_t *length)
{
	if (count > room && !edge_no_socket(fd))
		return next___recvfrom_chk(fd, bytes, count, room, flags, address, length);
	return layer_recvfrom(fd, bytes, count, flags, address, length);
}
