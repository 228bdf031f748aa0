/* Shims of names: struct addrinfo, flags and results of the look-ups, and the numbers of families in them. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>

#include "addresses.h"
#include "shims.h"

struct darwin_addrinfo {
	int flags, family, type, protocol;
	socklen_t length;
	char *name;
	void *address;
	struct darwin_addrinfo *next;
};

static const int ai_flags[][2] = { { 1, AI_PASSIVE }, { 2, AI_CANONNAME }, { 4, AI_NUMERICHOST },
				   { 0x1000, AI_NUMERICSERV }, { 0x100, AI_ALL }, { 0x400, AI_ADDRCONFIG },
				   { 0x800, AI_V4MAPPED } };

static int native_ai(int flags)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(ai_flags) / sizeof(ai_flags[0]); i++)
		if (flags & ai_flags[i][0])
			result |= ai_flags[i][1];
	return result;
}

/* EAI_* of Darwin */
static int ending(int status)
{
	switch (status) {
	case 0:
		return 0;
	case EAI_AGAIN:
		return 2;
	case EAI_BADFLAGS:
		return 3;
	case EAI_FAMILY:
		return 5;
	case EAI_SERVICE:
		return 9;
	case EAI_SOCKTYPE:
		return 10;
	default:
		return 8; /* EAI_NONAME */
	}
}

static void shim_freeaddrinfo(struct darwin_addrinfo *list)
{
	while (list) {
		struct darwin_addrinfo *next = list->next;

		free(list->name);
		free(list->address);
		free(list);
		list = next;
	}
}

static int shim_getaddrinfo(const char *host, const char *service, const struct darwin_addrinfo *hints,
			    struct darwin_addrinfo **result)
{
	struct addrinfo native = { 0 }, *list = NULL;
	struct darwin_addrinfo **end = result;
	int status;

	if (hints) {
		native.ai_flags = native_ai(hints->flags);
		native.ai_family = native_family(hints->family);
		native.ai_socktype = hints->type;
		native.ai_protocol = hints->protocol;
	}
	status = getaddrinfo(host, service, hints ? &native : NULL, &list);
	*result = NULL;
	for (struct addrinfo *one = list; status == 0 && one; one = one->ai_next) {
		struct darwin_addrinfo *copy = calloc(1, sizeof(*copy));

		copy->family = darwin_family(one->ai_family);
		copy->type = one->ai_socktype;
		copy->protocol = one->ai_protocol;
		copy->length = one->ai_addrlen;
		copy->name = one->ai_canonname ? strdup(one->ai_canonname) : NULL;
		copy->address = malloc(copy->length);
		give_address((union address *)one->ai_addr, copy->length, copy->address, &copy->length);
		*end = copy;
		end = &copy->next;
	}
	if (list)
		freeaddrinfo(list);
	return ending(status);
}

static int shim_getnameinfo(const void *address, socklen_t length, char *host, socklen_t host_length, char *service,
			    socklen_t service_length, int flags)
{
	union address native;
	int with = (flags & 1 ? NI_NOFQDN : 0) | (flags & 2 ? NI_NUMERICHOST : 0) | (flags & 4 ? NI_NAMEREQD : 0) |
		   (flags & 8 ? NI_NUMERICSERV : 0) | (flags & 0x10 ? NI_DGRAM : 0);

	return ending(getnameinfo(native_address(address, length, &native), length, host, host_length, service, service_length,
				  with));
}

static int shim_inet_pton(int family, const char *text, void *into)
{
	return inet_pton(native_family(family), text, into);
}

static const char *shim_inet_ntop(int family, const void *bytes, char *into, socklen_t size)
{
	return inet_ntop(native_family(family), bytes, into, size);
}

static int h_error;

const struct shim name_shims[] = {
	{ "_getaddrinfo", shim_getaddrinfo },
	{ "_freeaddrinfo", shim_freeaddrinfo },
	{ "_getnameinfo", shim_getnameinfo },
	{ "_inet_pton", shim_inet_pton },
	{ "_inet_ntop", shim_inet_ntop },
	{ "_h_errno", &h_error },
	{ NULL, NULL },
};
