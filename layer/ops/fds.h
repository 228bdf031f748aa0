/* What the layer knows about the app's descriptors: a note for each that is not local only. See fds.c. */
#ifndef LAYER_FDS_H
#define LAYER_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../sys/sys.h"
#include "sockets/address.h"

enum fds_state {
	FDS_LOCAL, /* a socket asked about: not the session's business */
	FDS_UNASKED, /* a socket bound by the kernel's choice: asked about when it listens */
	FDS_BOUND, /* a managed socket, bound: asked, actual */
	FDS_LISTENER, /* a managed socket, listening: asked, actual */
	FDS_ACCEPTED, /* a connection of the pod: peer, local */
	FDS_CONNECTING, /* an outgoing connection under way: peer, connection */
	FDS_CONNECTED, /* an outgoing connection: peer, local, connection */
	FDS_DATAGRAM, /* an outgoing UDP socket: peer, local, connection */
	FDS_FILE, /* a file or directory of the target, kept open by the session: file */
	FDS_NETLINK, /* was a netlink socket, see interfaces_linux.c: local is its name, flags whether it checks strictly */
	FDS_WHOLE, /* the copy in memory of a whole file of the target: file */
};

/* Bytes for the answer to a file's open, in the form of their owner (ops/files/). */
#define FDS_STAT_BYTES 256

/*
 * Flags of a bound socket's note that fds_find_asked() reads; other states have others, which their owners
 * name.
 */
#define FDS_DATAGRAMS 1u /* UDP */
#define FDS_ONLY6 16u /* IPV6_V6ONLY */
/* Of a bound socket: the kernel chose its port. */
#define FDS_ANY_PORT 32u

struct fds_file {
	uint32_t id; /* the session's number for it */
	uint32_t flags; /* of open(2) */
	uint32_t kind; /* its owner's business */
	uint64_t stat[FDS_STAT_BYTES / 8]; /* aligned for any struct of that size */
};

struct fds_note {
	enum fds_state state;
	struct sys_identity identity; /* set by fds_put() */
	union {
		struct {
			union name asked; /* what the app bound */
			union name actual; /* where the socket really is */
			union name peer; /* the real client, or the remote server */
			union name local; /* the pod's own address */
			uint32_t connection; /* the session's number for an outgoing one */
			uint32_t flags; /* its owner's business */
		};
		struct fds_file file;
	};
};

/*
 * A descriptor as it was looked up, once for a call, and handed on from there: the edge of a door calls
 * fds_find(), everything behind it reads `note` and writes it back by one of the three calls below, without
 * another look at the table or the kernel.
 */
struct fds_handle {
	int fd;
	uint32_t number; /* of the note; 0 = nothing is noted, and `note` says FDS_LOCAL */
	struct sys_identity identity; /* of the object; 0, 0 = not known yet, or made another one by sys_take_place() */
	struct fds_note note; /* a copy; its identity is not looked at */
};

/*
 * Looks `fd` up. False when nothing is noted for it; a note of another object is dropped first. No system
 * call without a note.
 */
bool fds_find(int fd, struct fds_handle *handle);
/*
 * The same by what the object is, not by its number: for a door whose descriptor is a copy from another
 * process (pidfd_getfd(2)). The number of the handle is the copy's.
 */
bool fds_find_object(int fd, struct fds_handle *handle);
/*
 * Changes what is noted, under all descriptors that share the note. False when there is none, or another
 * object's by now.
 */
bool fds_save(struct fds_handle *handle);
/* Notes it again for this descriptor alone, as fds_put() does; from then on the handle has a note. */
void fds_renew(struct fds_handle *handle);
/* As fds_drop(), if the descriptor still has the note that was found. */
bool fds_forget(struct fds_handle *handle);

/*
 * Called with the last note of an object that was closed where no hook sees it, found out later. Not for
 * listeners, about which the session asks the kernel. NULL: nothing is called.
 */
extern void (*fds_lost)(const struct fds_note *note);

/* Is anything noted for `fd`? Cheap; may be a note of a descriptor long gone. */
bool fds_has(int fd);
/* Is `fd` noted with that state? As cheap, and as unsure. */
bool fds_seems(int fd, enum fds_state state);
/*
 * Notes `note` for `fd`, in place of any older note. Does nothing when the table is full. The descriptor must
 * be a socket or have an inode of its own (memfd_create(2), not /dev/null), which distinguishes it from a
 * later one.
 */
void fds_put(int fd, struct fds_note *note);
/*
 * Forgets `fd` and copies its note. True when it was this process's last descriptor of an object whose end
 * matters: a managed listener, a file, an outgoing connection. False without a note, too.
 */
bool fds_drop(int fd, struct fds_note *note);
/* `to` is a new descriptor of the object of `from`. Any older note of `to` must have been dropped. */
void fds_copy(int from, int to);
/* The lowest descriptor in [first, last] with a note, or -1. */
int fds_next(unsigned int first, unsigned int last);
bool fds_any(enum fds_state state);
/*
 * Another bound socket than `fd`, of the same protocol, that asked for what `socket` asks for, or for what
 * overlaps with it.
 */
bool fds_find_asked(int fd, const struct fds_note *socket, struct fds_note *found);

#endif
