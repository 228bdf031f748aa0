/*
 * getsockname and getpeername: a managed socket says the address that the app bound, and the pod's addresses of a
 * connection, incoming or outgoing. Called by preload/. The invariant: where nothing is known the kernel's own answer stands; a name never
 * fails because of us.
 */
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "incoming.h"
#include "outgoing.h"

static bool peer_address(int fd, union name *name)
{
	socklen_t length = sizeof(*name);

	return sys_getpeername(fd, &name->any, &length) == 0 && address_read(name, &name->any, length);
}

/*
 * Finds out what an unnoted descriptor is, when it can matter: a socket handed over by another process of the app, or
 * inherited. A connection can only be the session's when it comes from this machine. False: nothing is known, the
 * kernel's answer stands.
 */
static bool investigate(int fd, struct fds_note *socket)
{
	union name own, peer;

	if (!incoming_own_address(fd, &own) || address_port(&own) == 0)
		return false;
	if (!peer_address(fd, &peer))
		return incoming_is_stream(fd) && incoming_note_of(fd, socket) == 0;
	if (!address_is_loopback(&peer) && !address_same_host(&own, &peer))
		return false;
	if (outgoing_identify(fd, &own, &peer, socket))
		return true;
	return incoming_is_stream(fd) && link_floor(LINK_INCOMING) > 0 && incoming_identify(fd, &own, &peer, socket) == 0;
}

/* What getsockname(2) is to say of a socket that is managed and not where the app bound it. */
static bool asked_name(int fd, const struct fds_note *socket, union name *name)
{
	union name peer;

	if (socket->state == FDS_BOUND && peer_address(fd, &peer))
		return false; /* bound, then connected: an outgoing connection */
	*name = socket->asked;
	return incoming_is_moved(socket);
}

/* The name that the app is to see instead of the kernel's, if any. */
static bool substitute(int fd, bool of_peer, union name *name)
{
	struct fds_note socket;
	bool found = false;
	int saved;

	if (!guard_enter(&saved))
		return false;
	if (!fds_get(fd, &socket) && !investigate(fd, &socket))
		goto out;
	if (socket.state == FDS_ACCEPTED) {
		*name = of_peer ? socket.peer : socket.local;
		found = true;
	} else if (!of_peer && (socket.state == FDS_BOUND || socket.state == FDS_LISTENER)) {
		found = asked_name(fd, &socket, name);
	} else if (socket.state == FDS_CONNECTING || socket.state == FDS_CONNECTED) {
		found = outgoing_name(fd, &socket, of_peer, name);
	}
out:
	guard_leave(saved, 0);
	return found;
}

int layer_getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	union name name;

	if (!address || !length || (int)*length < 0 || !substitute(fd, false, &name))
		return next_getsockname(fd, address, length);
	address_write(&name, address, length);
	return 0;
}

int layer_getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
	union name name;

	if (!address || !length || (int)*length < 0 || !substitute(fd, true, &name))
		return next_getpeername(fd, address, length);
	address_write(&name, address, length);
	return 0;
}
