/* What is known of the ways of this process's UDP sockets. See pairs.c. */
#ifndef LAYER_PAIRS_H
#define LAYER_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

/*
 * To `remote` from the socket of that identity: by way of `endpoint`, which is `remote` itself for what is
 * local.
 */
struct pair {
	uint64_t socket;
	union name remote, endpoint;
	bool local;
	bool heard; /* only the sender's name of what comes from `endpoint` is known, not a way there */
};

enum pairs_by { PAIRS_BY_REMOTE, PAIRS_BY_ENDPOINT };

/* The remembered pair of `socket` with that remote address, or with that endpoint. */
bool pairs_recall(uint64_t socket, enum pairs_by by, const union name *name, struct pair *found);
void pairs_remember(const struct pair *pair);

#endif
