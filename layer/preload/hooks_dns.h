/* Questions to the name servers by res_query(3) and similar calls. See hooks_dns_linux.c. */
#ifndef LAYER_HOOKS_DNS_H
#define LAYER_HOOKS_DNS_H

#include <stdbool.h>

#include "libc/resolver.h"

/* True: *result is the session's answer. False: libc's turn. */
bool dns_asked(const struct resolver_question *question, int *result);
/* Rules over names learn what libc found for a local one; `length`. */
int dns_told(const struct resolver_question *question, int length);

/* The session's answer, or `call`, libc's own. */
#define DNS_ANSWER(question, call) \
	({ \
		int result_; \
		dns_asked(question, &result_) ? result_ : dns_told(question, call); \
	})

#endif
