/* Questions about hosts that go to the session, and their answers. See lookup.c. */
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

/* One address of an answer: family 4 or 6, then 16 bytes, IPv4 in the first four. */
#define LOOKUP_ADDRESS_BYTES 17
/* A name is not longer than NI_MAXHOST of getnameinfo(3) with its zero. */
#define LOOKUP_NAME_BYTES 1024

/* What the session said. The texts are not terminated; each alias is ended by a zero. Let go with lookup_free(). */
struct lookup_answer {
	bool pending; /* ask again; only inside lookup.c */
	bool local; /* libc's answer counts */
	uint8_t ending; /* 0 found, else as h_errno (<netdb.h>) */
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
/* The host's own name: `name`. */
int lookup_own_name(struct lookup_answer *answer);
void lookup_free(struct lookup_answer *answer);

/* libc found `count` addresses, as they are packed in an answer, for a name that is local. */
void lookup_tell(const char *name, const unsigned char *addresses, size_t count);
/* Packs one; `bytes` are those of in_addr or in6_addr. */
void lookup_pack(unsigned char *into, int family, const void *bytes);
/* AF_INET or AF_INET6 of a packed one, whose bytes follow its first. */
int lookup_family(const unsigned char *packed);

#endif
