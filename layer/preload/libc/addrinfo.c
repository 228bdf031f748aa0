/*
 * getaddrinfo: hosts are looked up by the session; everything else of the call stays libc's. For each address
 * of the answer libc's own getaddrinfo makes the nodes, from the numeric text and the app's own service and
 * hints, and the lists are joined by addrinfo_list.c. Called by hooks_dns.c.
 * The invariant: a name that is the target's is never looked up here, not even when the session is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../hooks.h"
#include "../../ops/dns/lookup.h"
#include "addrinfo.h"
#include "addrinfo_list.h"

/* glibc's alone. */
#ifndef AI_IDN
#define AI_IDN 0
#define AI_CANONIDN 0
#endif

/* What getaddrinfo takes for hints that are NULL: glibc's AI_DEFAULT. */
#define DEFAULT_FLAGS (AI_V4MAPPED | AI_ADDRCONFIG)
/* What concerns the look-up, which is done by then. */
#define NAME_FLAGS (AI_CANONNAME | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN)

/* A call of getaddrinfo, on its way through this file. */
struct question {
	const struct addrinfo_call *call;
	struct addrinfo plain; /* its hints, for a numeric host */
	int flags;
};

/* h_errno to EAI_*, as getaddrinfo does it. */
static int status_of(uint8_t ending)
{
	switch (ending) {
	case TRY_AGAIN:
		return EAI_AGAIN;
	case NO_DATA:
		return EAI_NODATA;
	default:
		return EAI_NONAME;
	}
}

/* Only for rules over ports: a service by name counts as none. */
static uint16_t port_of(const char *service)
{
	char *end;
	unsigned long port;

	if (!service || service[0] < '0' || service[0] > '9')
		return 0;
	port = strtoul(service, &end, 10);
	return *end || port > UINT16_MAX ? 0 : (uint16_t)port;
}

static uint16_t wire_flags(int flags)
{
	return (uint16_t)(WIRE_LOOKUP_SORTED | (flags & AI_ADDRCONFIG ? WIRE_LOOKUP_ADDR_CONFIG : 0) |
			  (flags & AI_V4MAPPED ? WIRE_LOOKUP_V4_MAPPED : 0) | (flags & AI_ALL ? WIRE_LOOKUP_ALL : 0) |
			  (flags & AI_CANONNAME ? WIRE_LOOKUP_CANON_NAME : 0) | (flags & AI_IDN ? WIRE_LOOKUP_IDN : 0));
}

/* Appends what libc makes of one address. 0 or EAI_*. */
static int add_address(const struct question *question, const unsigned char *packed, struct addrinfo_list *list)
{
	char text[INET6_ADDRSTRLEN];
	struct addrinfo *found = NULL;
	int status;

	if (!inet_ntop(lookup_family(packed), packed + 1, text, sizeof(text)))
		return EAI_NONAME;
	status = next_getaddrinfo(text, question->call->service, &question->plain, &found);
	if (status != 0)
		return status;
	for (struct addrinfo *at = found; at; at = at->ai_next)
		at->ai_flags = question->flags;
	return addrinfo_list_add(list, found);
}

static int build(const struct question *question, const struct lookup_answer *answer)
{
	struct addrinfo_list list = { .first = NULL };
	int status = EAI_NONAME;

	for (size_t i = 0; i < answer->address_count; i++) {
		status = add_address(question, answer->addresses + i * WIRE_PACKED_ADDRESS_BYTES, &list);
		if (status != 0)
			break;
	}
	if (status == 0 && question->flags & AI_CANONNAME)
		status = addrinfo_list_name(&list, answer->name, answer->name_length);
	if (status == 0)
		status = addrinfo_list_give(&list, question->call->result);
	if (status != 0)
		addrinfo_list_free(&list);
	return status;
}

/* libc looks the name up here, as the developer wants it; rules over names learn what it found. */
static int ask_libc(const struct question *question)
{
	unsigned char found[16 * WIRE_PACKED_ADDRESS_BYTES];
	size_t count = 0;
	const struct addrinfo_call *call = question->call;
	int status = next_getaddrinfo(call->node, call->service, call->hints, call->result);

	if (status != 0)
		return status;
	for (const struct addrinfo *at = *call->result; at && count < 16; at = at->ai_next) {
		const union name *name = (const union name *)at->ai_addr;
		const void *bytes = at->ai_family == AF_INET ? (const void *)&name->v4.sin_addr : &name->v6.sin6_addr;

		if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
			lookup_pack(found + count++ * WIRE_PACKED_ADDRESS_BYTES, at->ai_family, bytes);
	}
	lookup_tell(call->node, found, count);
	return 0;
}

/* 0, EAI_*, or EAI_SYSTEM with *error. */
static int resolve(const struct question *question, int *error)
{
	uint8_t family = question->plain.ai_family == AF_INET ? 4 : question->plain.ai_family == AF_INET6 ? 6 : 0;
	struct lookup_answer answer;
	int status = lookup_host(question->call->node, family, wire_flags(question->flags), port_of(question->call->service),
				 &answer);

	if (status < 0) {
		*error = -status;
		return EAI_SYSTEM;
	}
	if (answer.local)
		status = ask_libc(question);
	else
		status = answer.ending ? status_of(answer.ending) : build(question, &answer);
	if (status == EAI_SYSTEM)
		*error = errno;
	lookup_free(&answer);
	return status;
}

/*
 * Is there a name to look up? libc answers for numeric hosts, and complains of hints and services as it does.
 */
static bool is_name(const struct question *question)
{
	struct addrinfo *list = NULL;
	int status = next_getaddrinfo(question->call->node, question->call->service, &question->plain, &list);

	if (status == 0)
		freeaddrinfo(list);
	return status == EAI_NONAME;
}

bool addrinfo_asks(const struct addrinfo_call *call)
{
	return call->node && *call->node && call->result && !(call->hints && call->hints->ai_flags & AI_NUMERICHOST);
}

int addrinfo_answer(const struct addrinfo_call *call, int *error)
{
	struct question question = { .call = call, .flags = DEFAULT_FLAGS };

	if (call->hints) {
		question.plain = *call->hints;
		question.flags = call->hints->ai_flags;
	}
	question.plain.ai_flags = (question.flags & ~NAME_FLAGS) | AI_NUMERICHOST;
	if (!is_name(&question))
		return next_getaddrinfo(call->node, call->service, call->hints, call->result);
	if (strlen(call->node) > WIRE_HOST_NAME_BYTES)
		return EAI_NONAME; /* longer than any host's */
	return resolve(&question, error);
}
