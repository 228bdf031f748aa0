/* What the layer knows about the app's descriptors: a note for each that is not plain local. See fds.c. */
#ifndef LAYER_FDS_H
#define LAYER_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "../sys.h"
#include "address.h"

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
	FDS_WHOLE, /* the copy in memory of a whole file of the target: file */
};

/* Bytes for what a file's open told of it, in the form its owner (ops/files*.c) likes. */
#define FDS_STAT_BYTES 256

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
 * Called with the last note of an object that was closed where no hook sees it, found out later. Not for listeners, about
 * which the session asks the kernel. NULL: nobody cares.
 */
extern void (*fds_lost)(const struct fds_note *note);

/* Is anything noted for `fd`? Cheap; may be a note of a descriptor long gone. */
bool fds_has(int fd);
/* Is `fd` noted with that state? As cheap, and as unsure. */
bool fds_seems(int fd, enum fds_state state);
/* Copies the note of `fd`. False when there is none; a note of another object is dropped first. */
bool fds_get(int fd, struct fds_note *note);
/*
 * Notes `note` for `fd`, in place of any older note. Silently not when the table is full. The descriptor must be a
 * socket or have an inode of its own (memfd_create(2), not /dev/null), by which it is told from a later one.
 */
void fds_put(int fd, struct fds_note *note);
/* Changes what is noted for `fd` under all descriptors that share the note. False when there is none. */
bool fds_change(int fd, const struct fds_note *note);
/*
 * Forgets `fd` and copies its note. True when it was this process's last descriptor of something whose end somebody
 * waits for: a managed listener, a file, an outgoing connection. False without a note, too.
 */
bool fds_drop(int fd, struct fds_note *note);
/* `to` is a new descriptor of the object of `from`. Any older note of `to` must have been dropped. */
void fds_copy(int from, int to);
/* The lowest descriptor in [first, last] with a note, or -1. */
int fds_next(unsigned int first, unsigned int last);
bool fds_any(enum fds_state state);
/* Another managed socket than `fd` that asked for `asked` or for an address that overlaps with it. */
bool fds_find_asked(int fd, const union name *asked, struct fds_note *found);

#endif
