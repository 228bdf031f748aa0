/* What the layer knows about the app's sockets, by descriptor. See fds.c. */
#ifndef LAYER_FDS_H
#define LAYER_FDS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

enum fds_state {
	FDS_LOCAL, /* asked about: not the session's business */
	FDS_UNASKED, /* bound by the kernel's choice: asked about when it listens */
	FDS_BOUND, /* managed, bound: asked, actual */
	FDS_LISTENER, /* managed, listening: asked, actual */
	FDS_ACCEPTED, /* a connection of the pod: peer, local */
};

struct fds_socket {
	enum fds_state state;
	uint64_t identity; /* of the kernel's socket; set by fds_put() */
	union name asked; /* what the app bound */
	union name actual; /* where the socket really is */
	union name peer; /* the real client */
	union name local; /* the pod's own address */
};

/* Is anything noted for `fd`? Cheap; may be a note of a socket long gone. */
bool fds_has(int fd);
/* Copies the note of `fd`. False when there is none; a note of another socket is dropped first. */
bool fds_get(int fd, struct fds_socket *socket);
/* Notes `socket` for `fd`, in place of any older note. Silently not when the table is full. */
void fds_put(int fd, struct fds_socket *socket);
/* A bound socket listens now, under all its descriptors. */
void fds_listening(int fd);
/* Forgets `fd`. True when it was this process's last descriptor of a managed listener, which is copied. */
bool fds_drop(int fd, struct fds_socket *listener);
/* `to` is a new descriptor of the socket of `from`. Any older note of `to` must have been dropped. */
void fds_copy(int from, int to);
/* The lowest descriptor in [first, last] with a note, or -1. */
int fds_next(unsigned int first, unsigned int last);
bool fds_any(enum fds_state state);
/* Another managed socket than `fd` that asked for `asked` or for an address that overlaps with it. */
bool fds_find_asked(int fd, const union name *asked, struct fds_socket *found);

#endif
