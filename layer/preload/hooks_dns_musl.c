/*
 * The edges of questions to the name servers with musl, whose resolver has no search list and no state.
 * Called by preload/.
 */
#include <netdb.h>

#include "../hooks.h"
#include "hooks_dns.h"

int layer_res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.name = name, .class = class, .type = type, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next_res_query(name, class, type, answer, size));
}

int layer_res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
	return layer_res_query(name, class, type, answer, size);
}

int layer_res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
	char whole[WIRE_HOST_NAME_BYTES + 1];
	const struct resolver_question question = { .name = resolver_joined(whole, name, domain), .class = class,
						    .type = type, .answer = answer, .size = size };

	if (!question.name)
		return resolver_fail(&question, NO_RECOVERY);
	return DNS_ANSWER(&question, next_res_querydomain(name, domain, class, type, answer, size));
}

int layer_res_send(const unsigned char *query, int length, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.query = query, .query_length = length, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next_res_send(query, length, answer, size));
}
