/* Replies of name servers as res_query(3) and similar calls return them. See resolver_linux.c. */
#ifndef LAYER_RESOLVER_H
#define LAYER_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "../../ops/dns/lookup.h"

struct __res_state; /* <resolv.h>, which gives other names to the calls */

/* A call: by name, or with a query that the program made. */
struct resolver_question {
	struct __res_state *state; /* NULL: the thread's */
	const char *name;
	int class;
	int type;
	bool search;
	const unsigned char *query;
	int query_length;
	unsigned char *answer;
	int size;
};

/* NAME.DOMAIN in `whole`, or NULL: too long. */
const char *resolver_joined(char whole[WIRE_HOST_NAME_BYTES + 1], const char *name, const char *domain);
/* Asks the session, within the guard: 0, -errno, or an h_errno where no server has to be asked. */
int resolver_ask(const struct resolver_question *question, struct lookup_answer *answer);
/* What the call returns: `status` is what resolver_ask() returned. False: libc's turn. Frees the answer. */
bool resolver_result(const struct resolver_question *question, int status, struct lookup_answer *answer, int *result);
/* The call fails with this h_errno. */
int resolver_fail(const struct resolver_question *question, int h_error);
/*
 * libc got `length` bytes of reply to a question that is local: rules over names learn of it. Within the
 * guard.
 */
void resolver_tell(const struct resolver_question *question, int length);

#endif
