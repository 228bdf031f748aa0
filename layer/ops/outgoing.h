/* What outgoing.c and datagrams.c know of sockets towards the target's network, for each other, names.c and descriptors.c. */
#ifndef LAYER_OUTGOING_H
#define LAYER_OUTGOING_H

#include <stdbool.h>

#include "../link.h"
#include "address.h"
#include "fds.h"

/* Asks the session: `name` and `NAME` of the message in wire.h, what it is, and how its answer is read. 0 or -errno. */
#define OUTGOING_ASK(name, NAME, message, unpack, reply) \
	({ \
		unsigned char body_[WIRE_##NAME##_BYTES]; \
		struct link_ask ask_ = { .kind = WIRE_##NAME, .body = body_ }; \
		int packed_ = wire_pack_##name(message, body_, sizeof(body_)); \
		ask_.length = packed_ < 0 ? 0 : (size_t)packed_; \
		packed_ < 0 ? packed_ : link_request(&ask_, unpack, reply); \
	})
/* Says it, without an answer; what was said before on another link may come later. */
#define OUTGOING_TELL(name, NAME, message) \
	({ \
		unsigned char body_[WIRE_##NAME##_BYTES]; \
		struct link_ask ask_ = { .kind = WIRE_##NAME, .body = body_ }; \
		int packed_ = wire_pack_##name(message, body_, sizeof(body_)); \
		ask_.length = packed_ < 0 ? 0 : (size_t)packed_; \
		packed_ < 0 ? packed_ : link_tell(&ask_); \
	})
#define OUTGOING_UNPACK(name) \
	static int unpack_##name(void *reply, const unsigned char *from, size_t length) \
	{ \
		return wire_unpack_##name(reply, from, length); \
	}

/* In a note's flags: UDP. */
#define OUTGOING_DATAGRAM 1u

/* The last descriptor of an outgoing socket is closed. */
void outgoing_ended(const struct fds_note *note);
/*
 * The note of a socket that no hook of this process connected: inherited, or passed. False when it is not outgoing.
 * `own` and `peer` are its real addresses.
 */
bool outgoing_identify(int fd, const union name *own, const union name *peer, struct fds_note *socket);
/*
 * The name that the app is to see of an outgoing socket: its peer, or its own address, in the target's network. False:
 * the kernel's answer stands, which is an error where the socket is not connected (yet).
 */
bool outgoing_name(int fd, struct fds_note *socket, bool of_peer, union name *name);

/* connect of a UDP socket. 0 or -errno; `local`: it is still to be connected to `remote`, by the kernel. */
int datagrams_connect(int fd, union name *remote, bool *local);
/* The socket was dissolved: it is nobody's. */
void outgoing_forget(int fd);

#endif
