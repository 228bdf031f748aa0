/*
 * The edge of questions to the name servers, which both C libraries of Linux have. Called by
 * hooks_dns_glibc.c and hooks_dns_musl.c.
 */
#include "guard.h"
#include "hooks_dns.h"

bool dns_asked(const struct resolver_question *question, int *result)
{
	struct lookup_answer answer;
	int saved, status;

	if (!guard_enter(&saved))
		return false;
	status = resolver_ask(question, &answer);
	guard_leave(saved, 0);
	return resolver_result(question, status, &answer, result);
}

int dns_told(const struct resolver_question *question, int length)
{
	int saved;

	if (length > 0 && guard_enter(&saved)) {
		resolver_tell(question, length);
		guard_leave(saved, 0);
	}
	return length;
}
