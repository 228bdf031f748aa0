/*
 * The edges of the calls about names that only glibc has: questions to the name servers by res_query(3) and
 * similar calls, getaddrinfo_a(3), and the checked gethostname(2). Called by preload/.
 */
#include <netdb.h>

#include "../hooks.h"
#include "../link/ask.h"
#include "guard.h"
#include "hooks_dns.h"
#include "libc/requests.h"
#include "libc/suspend.h"

int layer___res_nquery(struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.state = state, .name = name, .class = class, .type = type, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next___res_nquery(state, name, class, type, answer, size));
}

int layer___res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.name = name, .class = class, .type = type, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next___res_query(name, class, type, answer, size));
}

int layer___res_nsearch(struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size)
{
	const struct resolver_question question = { .state = state, .name = name, .class = class, .type = type,
						    .search = true, .answer = answer, .size = size };

	return DNS_ANSWER(&question, next___res_nsearch(state, name, class, type, answer, size));
}

int layer___res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
	const struct resolver_question question = { .name = name, .class = class, .type = type,
						    .search = true, .answer = answer, .size = size };

	return DNS_ANSWER(&question, next___res_search(name, class, type, answer, size));
}

int layer___res_nquerydomain(struct __res_state *state, const char *name, const char *domain, int class, int type,
			     unsigned char *answer, int size)
{
	char whole[WIRE_HOST_NAME_BYTES + 1];
	const struct resolver_question question = { .state = state, .name = resolver_joined(whole, name, domain),
						    .class = class, .type = type, .answer = answer, .size = size };

	if (!question.name)
		return resolver_fail(&question, NO_RECOVERY);
	return DNS_ANSWER(&question, next___res_nquerydomain(state, name, domain, class, type, answer, size));
}

int layer___res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
	char whole[WIRE_HOST_NAME_BYTES + 1];
	const struct resolver_question question = { .name = resolver_joined(whole, name, domain), .class = class,
						    .type = type, .answer = answer, .size = size };

	if (!question.name)
		return resolver_fail(&question, NO_RECOVERY);
	return DNS_ANSWER(&question, next___res_querydomain(name, domain, class, type, answer, size));
}

int layer___res_nsend(struct __res_state *state, const unsigned char *query, int length, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.state = state, .query = query, .query_length = length, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next___res_nsend(state, query, length, answer, size));
}

int layer___res_send(const unsigned char *query, int length, unsigned char *answer, int size)
{
	const struct resolver_question question = {
		.query = query, .query_length = length, .answer = answer, .size = size
	};

	return DNS_ANSWER(&question, next___res_send(query, length, answer, size));
}

/*
 * The process's requests are all libc's or all the layer's, by whether the session wants names from it. Also
 * when it is lost: then they fail.
 */
static bool takes_requests(void)
{
	return !guard_inside && guard_active() && link_owns() && ask_floor(LINK_DNS) != 0;
}

int layer_getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
	if ((mode != GAI_WAIT && mode != GAI_NOWAIT) || !takes_requests())
		return next_getaddrinfo_a(mode, list, count, event);
	return requests_make(list, count, mode == GAI_WAIT, event);
}

int layer_gai_suspend(const struct gaicb *const *list, int count, const struct timespec *timeout)
{
	return takes_requests() ? requests_suspend(list, count, timeout) : next_gai_suspend(list, count, timeout);
}

int layer_gai_cancel(struct gaicb *block)
{
	return takes_requests() ? requests_cancel(block) : next_gai_cancel(block);
}

/*
 * What a fortified program calls (_FORTIFY_SOURCE); libc ends a program that declares more room than it has.
 */
int layer___gethostname_chk(char *into, size_t room, size_t size)
{
	return room > size ? next___gethostname_chk(into, room, size) : layer_gethostname(into, room);
}
