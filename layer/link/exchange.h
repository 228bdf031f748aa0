/* One link of this process, and an exchange on it by the thread that has taken it. See exchange.c. */
#ifndef LAYER_EXCHANGE_H
#define LAYER_EXCHANGE_H

#include <stdint.h>
#include <sys/types.h>

#include "question.h"

struct link {
	_Atomic(uint32_t) lock;
	_Atomic(int) number; /* the descriptor plus one; 0 = none */
	uint64_t identity; /* of the socket */
	uint32_t last_id;
	_Atomic(bool) abandoned; /* no thread waits any more for the answer to last_id */
	_Atomic(pid_t) waiter; /* thread that waits with signals open; 0 = none */
	uintptr_t frame; /* and its asker's */
};

/* The link broke, or its peer is no session. */
#define EXCHANGE_LOST 1

int exchange_fd(const struct link *link);
/*
 * All that follow use `memory`, WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD bytes (NULL: -ENOMEM). They return 0,
 * -errno for the caller that asked, or EXCHANGE_LOST.
 */
int exchange_send(struct link *link, unsigned char *memory, const struct ask *ask);
/* Reads the answer to the last question; `ask` is NULL where it is no longer wanted. */
int exchange_receive(struct link *link, unsigned char *memory, const struct ask *ask);
int exchange_both(struct link *link, unsigned char *memory, const struct ask *ask);

/* For connections that are no link. Packs the message; its length, or -EMSGSIZE. */
int exchange_pack(const struct ask *ask, unsigned char *into, size_t room);
/*
 * Unpacks what came in answer to `ask` and hands it over. 0, -errno, or EXCHANGE_LOST where no session
 * answers so.
 */
int exchange_take(const struct ask *ask, const struct wire_header *header, const unsigned char *payload);

#endif
