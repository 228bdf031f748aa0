/*
 * getaddrinfo and getnameinfo: hosts are looked up by the session; everything else of the two calls stays libc's. For
 * each address of the answer libc's own getaddrinfo makes the nodes, out of the numeric text and the app's own service
 * and hints, and the lists are joined: glibc frees them node by node. Called by preload/.
 * The invariant: a name that is the target's is never looked up here, not even when the session is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "../guard.h"
#include "../hooks.h"
#include "lookup.h"

/* What getaddrinfo takes for hints that are NULL: glibc's AI_DEFAULT. */
#define DEFAULT_FLAGS (AI_V4MAPPED | AI_ADDRCONFIG)
/* What concerns the look-up, which is done by then. */
#define NAME_FLAGS (AI_CANONNAME | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN)

/* A call of getaddrinfo, on its way through this file. */
struct question {
	const char *node;
	const char *service;
	const struct addrinfo *hints; /* the app's, may be NULL */
	struct addrinfo plain; /* the same for a numeric host */
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
	return (uint16_t)(LOOKUP_SORTED | (flags & AI_ADDRCONFIG ? LOOKUP_ADDR_CONFIG : 0) |
			  (flags & AI_V4MAPPED ? LOOKUP_V4_MAPPED : 0) | (flags & AI_ALL ? LOOKUP_ALL : 0) |
			  (flags & AI_CANONNAME ? LOOKUP_CANON_NAME : 0) | (flags & AI_IDN ? LOOKUP_IDN : 0));
}

/* Appends what libc makes of one address. 0 or EAI_*. */
static int add_address(const struct question *question, const unsigned char *packed, struct addrinfo ***end)
{
	char text[INET6_ADDRSTRLEN];
	struct addrinfo *list = NULL;
	int status;

	if (!inet_ntop(lookup_family(packed), packed + 1, text, sizeof(text)))
		return EAI_NONAME;
	status = next_getaddrinfo(text, question->service, &question->plain, &list);
	if (status != 0)
		return status;
	**end = list;
	for (; list; list = list->ai_next) {
		list->ai_flags = question->flags;
		*end = &list->ai_next;
	}
	return 0;
}

/* The first node carries the canonical name, which freeaddrinfo gives to free(). */
static int name_first(struct addrinfo *first, const struct lookup_answer *answer)
{
	first->ai_canonname = strndup(answer->name, answer->name_length);
	return first->ai_canonname ? 0 : EAI_MEMORY;
}

static int build(const struct question *question, const struct lookup_answer *answer, struct addrinfo **result)
{
	struct addrinfo *list = NULL, **end = &list;
	int status = EAI_NONAME;

	for (size_t i = 0; i < answer->address_count; i++) {
		status = add_address(question, answer->addresses + i * LOOKUP_ADDRESS_BYTES, &end);
		if (status != 0)
			goto out;
	}
	if (list && question->flags & AI_CANONNAME)
		status = name_first(list, answer);
out:
	if (status == 0)
		*result = list;
	else if (list)
		freeaddrinfo(list);
	return status;
}

/* libc looks the name up here, as the developer wants it; rules over names learn what it found. */
static int ask_libc(const struct question *question, struct addrinfo **result)
{
	unsigned char found[16 * LOOKUP_ADDRESS_BYTES];
	size_t count = 0;
	int status = next_getaddrinfo(question->node, question->service, question->hints, result);

	if (status != 0)
		return status;
	for (const struct addrinfo *at = *result; at && count < 16; at = at->ai_next) {
		const union name *name = (const union name *)at->ai_addr;
		const void *bytes = at->ai_family == AF_INET ? (const void *)&name->v4.sin_addr : &name->v6.sin6_addr;

		if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
			lookup_pack(found + count++ * LOOKUP_ADDRESS_BYTES, at->ai_family, bytes);
	}
	lookup_tell(question->node, found, count);
	return 0;
}

/* 0, EAI_*, or EAI_SYSTEM with *error. */
static int resolve(struct question *question, struct addrinfo **result, int *error)
{
	uint8_t family = question->plain.ai_family == AF_INET ? 4 : question->plain.ai_family == AF_INET6 ? 6 : 0;
	struct lookup_answer answer;
	int status = lookup_host(question->node, family, wire_flags(question->flags), port_of(question->service), &answer);

	if (status < 0) {
		*error = -status;
		return EAI_SYSTEM;
	}
	if (answer.local)
		status = ask_libc(question, result);
	else
		status = answer.ending ? status_of(answer.ending) : build(question, &answer, result);
	if (status == EAI_SYSTEM)
		*error = errno;
	lookup_free(&answer);
	return status;
}

/* Is there a name to look up? libc answers for numeric hosts, and complains of hints and services as it does. */
static bool is_name(struct question *question)
{
	struct addrinfo *list = NULL;
	int status = next_getaddrinfo(question->node, question->service, &question->plain, &list);

	if (status == 0)
		freeaddrinfo(list);
	return status == EAI_NONAME;
}

int layer_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct question question = { .node = node, .service = service, .hints = hints, .flags = DEFAULT_FLAGS };
	int saved, status, error = 0;

	if (hints) {
		question.plain = *hints;
		question.flags = hints->ai_flags;
	}
	question.plain.ai_flags = (question.flags & ~NAME_FLAGS) | AI_NUMERICHOST;
	if (!node || !*node || !result || question.flags & AI_NUMERICHOST || !guard_enter(&saved))
		return next_getaddrinfo(node, service, hints, result);
	if (!is_name(&question))
		status = next_getaddrinfo(node, service, hints, result);
	else if (strlen(node) > LOOKUP_NAME_BYTES)
		status = EAI_NONAME; /* longer than any host's */
	else
		status = resolve(&question, result, &error);
	guard_leave(saved, 0);
	if (status == EAI_SYSTEM && error)
		errno = error;
	return status;
}

/* getnameinfo's host part: the text to give, or EAI_*. */
static int host_text(const union name *address, int flags, struct lookup_answer *answer, int *error)
{
	int status = lookup_address(address, answer);

	if (status < 0) {
		*error = -status;
		return EAI_SYSTEM;
	}
	if (answer->local || answer->ending == 0)
		return 0;
	lookup_free(answer);
	if (answer->ending == TRY_AGAIN)
		return EAI_AGAIN;
	if (flags & NI_NAMEREQD)
		return EAI_NONAME;
	answer->name = NULL;
	return 0;
}

static int copy_text(char *into, size_t room, const char *text, size_t length)
{
	if (length >= room)
		return EAI_OVERFLOW;
	memcpy(into, text, length);
	into[length] = 0;
	return 0;
}

int layer_getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length,
		      char *service, socklen_t service_length, int flags)
{
	const int numeric_flags = (flags & ~NI_NAMEREQD) | NI_NUMERICHOST;
	struct lookup_answer answer;
	char numeric[INET6_ADDRSTRLEN + 64];
	union name name;
	int saved, status, error = 0;

	if (!host || host_length == 0 || flags & NI_NUMERICHOST || !address_read(&name, address, length) ||
	    !guard_enter(&saved))
		return next_getnameinfo(address, length, host, host_length, service, service_length, flags);
	/* The service, the numeric text, and whatever libc has against the call. */
	status = next_getnameinfo(address, length, numeric, sizeof(numeric), service, service_length, numeric_flags);
	if (status != 0)
		goto out;
	status = host_text(&name, flags, &answer, &error);
	if (status != 0)
		goto out;
	if (answer.local)
		status = next_getnameinfo(address, length, host, host_length, service, service_length, flags);
	else if (answer.name)
		status = copy_text(host, host_length, answer.name, answer.name_length);
	else
		status = copy_text(host, host_length, numeric, strlen(numeric));
	lookup_free(&answer);
out:
	guard_leave(saved, 0);
	if (status == EAI_SYSTEM && error)
		errno = error;
	return status;
}
