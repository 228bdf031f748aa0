/*
 * connect(2) of any socket of IP: TCP is outgoing.c, UDP datagrams.c; the session is not asked about others.
 * Called by preload/hooks_sockets_outgoing.c.
 */
#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "connect.h"
#include "datagrams.h"

struct verdict socket_connect(struct fds_handle *socket, struct outgoing_connect *call)
{
	int type = sys_socket_option(socket->fd, SO_TYPE);
	int floor = type == SOCK_STREAM || type == SOCK_DGRAM ? ask_floor(LINK_OUTGOING) : 0;

	if (floor <= 0)
		return floor < 0 ? verdict_result(floor) : verdict_libc();
	return type == SOCK_STREAM ? outgoing_connect(socket, call) : datagrams_connect(socket, &call->remote);
}
