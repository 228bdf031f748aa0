/* Hosts as gethostbyname(3) and similar calls return them. See hostent.c. */
#ifndef LAYER_HOSTENT_H
#define LAYER_HOSTENT_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../ops/dns/lookup.h"

/* What is looked up: a name, or the names of an address. */
struct hostent_subject {
	const char *name;
	union name address;
	int family;
};

/* The functions without _r, which have an area each, as in libc. */
enum hostent_area { HOSTENT_BY_NAME, HOSTENT_BY_NAME2, HOSTENT_BY_ADDRESS };

/* What the caller of a function with _r lends, and what such a function returns. */
struct hostent_room {
	struct hostent *host;
	char *buffer;
	size_t size;
	struct hostent **result;
	int *h_error;
};

/* Makes the subject. False: libc answers, as for an address as text. */
bool hostent_by_name(struct hostent_subject *subject, const char *name, int family);
bool hostent_by_address(struct hostent_subject *subject, const void *address, socklen_t length, int family);

/* Asks the session, within the guard: 0 or -errno. Only then is there nothing to free. */
int hostent_ask(const struct hostent_subject *subject, struct lookup_answer *answer);
/*
 * The result of a call: `status` is what hostent_ask() returned, and the answer is not libc's to give. Frees
 * it.
 */
struct hostent *hostent_static(const struct hostent_subject *subject, enum hostent_area which, int status,
			       struct lookup_answer *answer);
int hostent_into(const struct hostent_subject *subject, const struct hostent_room *room, int status,
		 struct lookup_answer *answer);
/* libc found `host`, for a local name: rules over names learn of it. Within the guard. */
void hostent_tell(const char *name, const struct hostent *host);

#endif
