/*
 * getsockname and getpeername: a managed socket has the address that the app bound, and the pod's addresses
 * of a connection, incoming or outgoing. Called by preload/hooks_sockets.c. The invariant: where nothing is
 * known the kernel's own answer stands; no call fails because of the layer.
 */
#include <stddef.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "bind.h"
#include "incoming.h"
#include "outgoing.h"
#include "socket_names.h"

static bool peer_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getpeername(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

/*
 * Finds out what an unnoted descriptor is, when it can matter: a socket handed over by another process of the
 * app, or inherited. A connection can only be the session's when it comes from this machine. False: nothing
 * is known, the kernel's answer stands.
 */
static bool investigate(struct fds_handle *socket)
{
	union name own, peer;
	int fd = socket->fd;

	if (!incoming_own_address(fd, &own) || address_port(&own) == 0)
		return false;
	if (!peer_address(fd, &peer))
		return (incoming_is_stream(fd) || address_is_loopback(&own)) && incoming_note_of(socket) == 0;
	if (!address_is_loopback(&peer) && !address_same_host(&own, &peer))
		return false;
	if (outgoing_identify(socket, &own, &peer))
		return true;
	return incoming_is_stream(fd) && ask_floor(LINK_INCOMING) > 0 && incoming_identify(socket, &own, &peer) == 0;
}

/* What getsockname(2) returns for a socket that is managed and not where the app bound it. */
static bool asked_name(int fd, const struct fds_note *socket, union name *name)
{
	union name peer;

	if (socket->state == FDS_BOUND && address_is_wildcard(&socket->asked) && peer_address(fd, &peer))
		return false; /* bound, then connected: an outgoing connection */
	*name = socket->asked;
	return incoming_is_moved(socket);
}

static bool substitute(struct fds_handle *socket, bool of_peer, union name *name)
{
	const struct fds_note *note = &socket->note;

	if (!socket->number && !investigate(socket))
		return false;
	if (!of_peer && outgoing_is_placed(note)) {
		*name = note->asked;
		return true;
	}
	if (note->state == FDS_ACCEPTED) {
		*name = of_peer ? note->peer : note->local;
		return true;
	}
	if (!of_peer && (note->state == FDS_BOUND || note->state == FDS_LISTENER))
		return asked_name(socket->fd, note, name);
	if (note->state == FDS_CONNECTING || note->state == FDS_CONNECTED)
		return outgoing_name(socket, of_peer, name);
	return false;
}

struct verdict socket_name(struct fds_handle *socket, bool of_peer, union name *name)
{
	return substitute(socket, of_peer, name) ? verdict_result(0) : verdict_libc();
}
