/* Questions about hosts, and to name servers, that go to the session, and their answers. See lookup.c. */
#ifndef LAYER_LOOKUP_H
#define LAYER_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../link.h"
#include "address.h"

/* Bits of a question's flags: lookupFlags of protocol-wasm/names.ts. */
enum lookup_flag {
	LOOKUP_SORTED = 1,
	LOOKUP_ADDR_CONFIG = 2,
	LOOKUP_V4_MAPPED = 4,
	LOOKUP_ALL = 8,
	LOOKUP_CANON_NAME = 16,
	LOOKUP_IDN = 32,
};

/* Bits of the flags of a question to the name servers: resolveFlags of protocol-wasm/names.ts. */
enum lookup_wish {
	LOOKUP_SEARCH = 1,
	LOOKUP_USE_TCP = 2,
	LOOKUP_IGNORE_TRUNCATION = 4,
	LOOKUP_EDNS = 8,
	LOOKUP_DNSSEC = 16,
	LOOKUP_TRUST_AD = 32,
	LOOKUP_NO_RECURSION = 64,
	LOOKUP_NO_DEFAULT_DOMAIN = 128,
	LOOKUP_NO_SEARCH_LIST = 256,
};

/* One address of an answer: family 4 or 6, then 16 bytes, IPv4 in the first four. */
#define LOOKUP_ADDRESS_BYTES 17
/* A name is not longer than NI_MAXHOST of getnameinfo(3) with its zero. */
#define LOOKUP_NAME_BYTES 1024

/* What the session said. The texts are not terminated; each alias is ended by a zero. Let go with lookup_free(). */
struct lookup_answer {
	bool pending; /* ask again; only inside lookup.c */
	bool local; /* libc's answer counts */
	uint8_t ending; /* 0 found, else as h_errno (<netdb.h>) */
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

/* family: 0, 4, 6. 0, or -errno; only then is there nothing to free. Local too where the session does not want names. */
int lookup_host(const char *name, uint8_t family, uint16_t flags, uint16_t port, struct lookup_answer *answer);
/* The names of an address. */
int lookup_address(const union name *address, struct lookup_answer *answer);
/* A question to the name servers, by name or as a whole query. */
struct lookup_question {
	uint16_t flags; /* of enum lookup_wish */
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
