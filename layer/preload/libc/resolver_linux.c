/*
 * res_query(3) and similar calls, whose callers read the reply of a name server themselves: the question is
 * asked beside the target, and its answer becomes what libc would have returned. Called by hooks_dns_linux.c.
 * The invariants: a question that is the target's is never asked from this machine, not even when the session
 * is lost; the caller's memory is not written past its end.
 */
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "resolver.h"
#include "resolver_state.h"

/* res_send(3) reports failures by errno alone. */
static int fail(const struct resolver_question *question, int h_error, int error)
{
	if (!question->query) {
		resolver_failed(question->state, h_error);
		h_errno = h_error;
	}
	if (error)
		errno = error;
	return -1;
}

/* What no server has to be asked for, as glibc has it: 0, or the failure's h_errno. */
static int objection(const struct resolver_question *question)
{
	if (question->query)
		return question->query_length < NS_HFIXEDSZ || question->query_length > UINT16_MAX ? NO_RECOVERY : 0;
	if (strlen(question->name) > WIRE_HOST_NAME_BYTES || (question->search && !*question->name))
		return NO_RECOVERY;
	if (question->class < 0 || question->class > UINT16_MAX || question->type < 0 || question->type > UINT16_MAX)
		return NO_RECOVERY;
	return 0;
}

/*
 * Copies what fits, and returns what libc does: of a reply that came by TCP the whole length, marked as cut.
 */
static int take(const struct resolver_question *question, const struct lookup_answer *answer)
{
	size_t length = answer->name_length, room = (size_t)question->size, copied = length < room ? length : room;

	if (copied)
		memcpy(question->answer, answer->name, copied);
	if (answer->ending)
		return fail(question, answer->ending, (int)answer->error);
	if (!answer->stream || length <= room)
		return (int)copied;
	question->answer[2] |= 2;
	return (int)length;
}

int resolver_ask(const struct resolver_question *question, struct lookup_answer *answer)
{
	struct lookup_question asked = {
		.class = (uint16_t)question->class,
		.type = (uint16_t)question->type,
		.room = question->size < UINT16_MAX ? (uint16_t)question->size : UINT16_MAX,
		.name = question->name,
		.query = question->query,
		.query_length = (size_t)question->query_length,
	};
	int status = objection(question);

	if (status != 0 || question->size < NS_HFIXEDSZ)
		return status;
	asked.flags = resolver_flags(question->state) | (question->search ? WIRE_RESOLVE_SEARCH : 0);
	return lookup_reply(&asked, answer);
}

bool resolver_result(const struct resolver_question *question, int status, struct lookup_answer *answer, int *result)
{
	bool local = false;

	/* libc begins so with every name that it asks for: no response code. */
	if (!question->query && question->size > 3 && (status <= 0 || !question->search))
		question->answer[3] &= 0xf0;
	if (status > 0) {
		*result = fail(question, status, question->query ? EINVAL : 0);
	} else if (question->size < NS_HFIXEDSZ) {
		*result = fail(question, TRY_AGAIN, EINVAL);
	} else if (status < 0) {
		*result = fail(question, TRY_AGAIN, -status);
	} else {
		local = answer->local;
		if (!local)
			*result = take(question, answer);
		lookup_free(answer);
	}
	return !local;
}

int resolver_fail(const struct resolver_question *question, int h_error)
{
	return fail(question, h_error, 0);
}

void resolver_tell(const struct resolver_question *question, int length)
{
	if (length <= 0 || (question->name && strlen(question->name) > WIRE_HOST_NAME_BYTES))
		return;
	lookup_tell_reply(question->name ? question->name : "", question->answer,
			  (size_t)(length < question->size ? length : question->size));
}

/* A name that is too long libc takes for a failure. */
const char *resolver_joined(char whole[WIRE_HOST_NAME_BYTES + 1], const char *name, const char *domain)
{
	size_t length = strlen(name), more = domain ? strlen(domain) : 0;

	if (!domain)
		return name;
	if (length + more + 1 > WIRE_HOST_NAME_BYTES)
		return NULL;
	memcpy(whole, name, length);
	whole[length] = '.';
	memcpy(whole + length + 1, domain, more + 1);
	return whole;
}
