/*
 * res_query(3) and its kin, whose callers read the reply of a name server themselves: the session has the question asked by
 * the target, here its answer becomes what libc would have returned. Called by preload/.
 * The invariants: a question that is the target's is never put here, not even when the session is lost; what the caller
 * lent is not written past its end. Of the caller's resolver state only what the program itself set counts: this machine's
 * servers, search domains and options are none of the target's.
 */
#include <arpa/nameser.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "../guard.h"
#include "../hooks.h"
#include "lookup.h"

/* Bits of the resolver's options that older headers lack. */
#define OPTION_DNSSEC 0x00800000u
#define OPTION_TRUST_AD 0x04000000u
/* Those that resolv.conf may set too. */
#define OPTIONS_OF_FILE (RES_USEVC | RES_USE_EDNS0 | OPTION_TRUST_AD)

/* What ask() returns when libc has to answer. */
#define LOCAL INT_MIN

/* A call: by name, or with a query that the program made. */
struct question {
	struct __res_state *state;
	const char *name;
	int class;
	int type;
	bool search;
	const unsigned char *query;
	int query_length;
	unsigned char *answer;
	int size;
};

/* res_send(3) tells of failures by errno alone. */
static int fail(const struct question *question, int h_error, int error)
{
	if (!question->query) {
		question->state->res_h_errno = h_error;
		h_errno = h_error;
	}
	if (error)
		errno = error;
	return -1;
}

/* What the program set in its state, beyond what this machine's resolv.conf did. */
static uint16_t own_flags(const struct __res_state *state)
{
	unsigned long options = state->options;
	struct __res_state fresh;

	if (!(options & RES_INIT))
		return 0;
	if (options & OPTIONS_OF_FILE) {
		memset(&fresh, 0, sizeof(fresh));
		if (res_ninit(&fresh) == 0) {
			options &= ~(fresh.options & OPTIONS_OF_FILE);
			res_nclose(&fresh);
		}
	}
	return (uint16_t)((options & RES_USEVC ? LOOKUP_USE_TCP : 0) |
			  (options & RES_IGNTC ? LOOKUP_IGNORE_TRUNCATION : 0) |
			  (options & RES_USE_EDNS0 ? LOOKUP_EDNS : 0) | (options & OPTION_DNSSEC ? LOOKUP_DNSSEC : 0) |
			  (options & OPTION_TRUST_AD ? LOOKUP_TRUST_AD : 0) |
			  (options & RES_RECURSE ? 0 : LOOKUP_NO_RECURSION) |
			  (options & RES_DEFNAMES ? 0 : LOOKUP_NO_DEFAULT_DOMAIN) |
			  (options & RES_DNSRCH ? 0 : LOOKUP_NO_SEARCH_LIST));
}

/* What no server has to be asked for, as glibc has it: 0, or the failure's h_errno. */
static int objection(const struct question *question)
{
	if (question->query)
		return question->query_length < NS_HFIXEDSZ || question->query_length > UINT16_MAX ? NO_RECOVERY : 0;
	if (strlen(question->name) > LOOKUP_NAME_BYTES || (question->search && !*question->name))
		return NO_RECOVERY;
	if (question->class < 0 || question->class > UINT16_MAX || question->type < 0 || question->type > UINT16_MAX)
		return NO_RECOVERY;
	return 0;
}

/* Copies what fits, and returns what libc does: of a reply that came by TCP the whole length, marked as cut. */
static int take(const struct question *question, const struct lookup_answer *answer)
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

static int ask(const struct question *question)
{
	struct lookup_question asked = {
		.class = (uint16_t)question->class,
		.type = (uint16_t)question->type,
		.room = question->size < UINT16_MAX ? (uint16_t)question->size : UINT16_MAX,
		.name = question->name,
		.query = question->query,
		.query_length = (size_t)question->query_length,
	};
	struct lookup_answer answer;
	int saved, status;

	if (!guard_enter(&saved))
		return LOCAL;
	status = objection(question);
	if (status == 0 && question->size >= NS_HFIXEDSZ) {
		asked.flags = own_flags(question->state) | (question->search ? LOOKUP_SEARCH : 0);
		status = lookup_reply(&asked, &answer);
	}
	guard_leave(saved, 0);
	/* libc begins so with every name that it asks for: no response code. */
	if (!question->query && question->size > 3 && (status <= 0 || !question->search))
		question->answer[3] &= 0xf0;
	if (status > 0)
		return fail(question, status, question->query ? EINVAL : 0);
	if (question->size < NS_HFIXEDSZ)
		return fail(question, TRY_AGAIN, EINVAL);
	if (status < 0)
		return fail(question, TRY_AGAIN, -status);
	status = answer.local ? LOCAL : take(question, &answer);
	lookup_free(&answer);
	return status;
}

/* Rules over names learn what libc found for a local one. */
static int told(const struct question *question, int length)
{
	int saved;

	if (length <= 0 || (question->name && strlen(question->name) > LOOKUP_NAME_BYTES) || !guard_enter(&saved))
		return length;
	lookup_tell_reply(question->name ? question->name : "", question->answer,
			  (size_t)(length < question->size ? length : question->size));
	guard_leave(saved, 0);
	return length;
}

/* What the session says, or `call`, libc's own. */
#define ANSWER(question, call) \
	({ \
		int outcome = ask(question); \
		outcome == LOCAL ? told(question, call) : outcome; \
	})

int layer___res_nquery(struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size)
{
	struct question question = {
		.state = state, .name = name, .class = class, .type = type, .answer = answer, .size = size
	};

	return ANSWER(&question, next___res_nquery(state, name, class, type, answer, size));
}

int layer___res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
	struct question question = {
		.state = &_res, .name = name, .class = class, .type = type, .answer = answer, .size = size
	};

	return ANSWER(&question, next___res_query(name, class, type, answer, size));
}

int layer___res_nsearch(struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size)
{
	struct question question = { .state = state, .name = name, .class = class, .type = type,
				     .search = true, .answer = answer, .size = size };

	return ANSWER(&question, next___res_nsearch(state, name, class, type, answer, size));
}

int layer___res_search(const char *name, int class, int type, unsigned char *answer, int size)
{
	struct question question = { .state = &_res, .name = name, .class = class, .type = type,
				     .search = true, .answer = answer, .size = size };

	return ANSWER(&question, next___res_search(name, class, type, answer, size));
}

/* NAME.DOMAIN, or what libc makes of a name that is too long: a failure. */
static const char *joined(char whole[LOOKUP_NAME_BYTES + 1], const char *name, const char *domain)
{
	size_t length = strlen(name), more = domain ? strlen(domain) : 0;

	if (!domain)
		return name;
	if (length + more + 1 > LOOKUP_NAME_BYTES)
		return NULL;
	memcpy(whole, name, length);
	whole[length] = '.';
	memcpy(whole + length + 1, domain, more + 1);
	return whole;
}

int layer___res_nquerydomain(struct __res_state *state, const char *name, const char *domain, int class, int type,
			     unsigned char *answer, int size)
{
	char whole[LOOKUP_NAME_BYTES + 1];
	struct question question = { .state = state, .name = joined(whole, name, domain), .class = class,
				     .type = type, .answer = answer, .size = size };

	if (!question.name)
		return fail(&question, NO_RECOVERY, 0);
	return ANSWER(&question, next___res_nquerydomain(state, name, domain, class, type, answer, size));
}

int layer___res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int size)
{
	char whole[LOOKUP_NAME_BYTES + 1];
	struct question question = { .state = &_res, .name = joined(whole, name, domain), .class = class,
				     .type = type, .answer = answer, .size = size };

	if (!question.name)
		return fail(&question, NO_RECOVERY, 0);
	return ANSWER(&question, next___res_querydomain(name, domain, class, type, answer, size));
}

int layer___res_nsend(struct __res_state *state, const unsigned char *query, int length, unsigned char *answer, int size)
{
	struct question question = {
		.state = state, .query = query, .query_length = length, .answer = answer, .size = size
	};

	return ANSWER(&question, next___res_nsend(state, query, length, answer, size));
}

int layer___res_send(const unsigned char *query, int length, unsigned char *answer, int size)
{
	struct question question = {
		.state = &_res, .query = query, .query_length = length, .answer = answer, .size = size
	};

	return ANSWER(&question, next___res_send(query, length, answer, size));
}
