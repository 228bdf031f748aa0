/* Questions about hosts, and to name servers, that go to the session, and their answers. See lookup.c. */
#ifndef LAYER_LOOKUP_H
#define LAYER_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../link/link.h"
#include "../sockets/address.h"

/*
 * The session's answer. The texts are not terminated; each alias is ended by a zero. Freed by
 * lookup_free().
 */
struct lookup_answer {
	bool pending; /* ask again; only inside lookup.c */
	bool local; /* libc's answer counts */
	uint8_t ending; /* 0 found, otherwise as h_errno (<netdb.h>) */
	bool stream; /* a reply came by TCP */
	uint32_t error; /* why there is no reply */
	const char *name;
	size_t name_length;
	const char *aliases;
	size_t aliases_length;
	const unsigned char *addresses;
	size_t address_count;
	char *bytes; /* where they lie: in `few`, or mapped */
	size_t mapped;
	char few[700];
};

/*
 * family: 0, 4, 6. 0, or -errno; only then is there nothing to free. Local too where the session does not
 * want names.
 */
int lookup_host(const char *name, uint8_t family, uint16_t flags, uint16_t port, struct lookup_answer *answer);
/* The names of an address. */
int lookup_address(const union name *address, struct lookup_answer *answer);
/* A question to the name servers, by name or as a whole query. */
struct lookup_question {
	uint16_t flags; /* of enum wire_resolve_flag */
	uint16_t class;
	uint16_t type;
	uint16_t room;
	const char *name; /* or NULL */
	const unsigned char *query;
	size_t query_length;
};
/* The reply: `name`. */
int lookup_reply(const struct lookup_question *question, struct lookup_answer *answer);
/* The host's own name: `name`. */
int lookup_own_name(struct lookup_answer *answer);
void lookup_free(struct lookup_answer *answer);

/* libc found `count` addresses, as they are packed in an answer, for a name that is local. */
void lookup_tell(const char *name, const unsigned char *addresses, size_t count);
/* libc got `reply` to a question that is local; `name` is empty when it was a query. */
void lookup_tell_reply(const char *name, const unsigned char *reply, size_t length);
/* Packs one; `bytes` are those of in_addr or in6_addr. */
void lookup_pack(unsigned char *into, int family, const void *bytes);
/* AF_INET or AF_INET6 of a packed one, whose bytes follow its first. */
int lookup_family(const unsigned char *packed);

#endif
