/* Addresses of sockets: Darwin's begin with their length, and IPv6 has another number there. */
#ifndef MACHO_ADDRESSES_H
#define MACHO_ADDRESSES_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DARWIN_INET6 30

union address {
	struct sockaddr any;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	unsigned char bytes[sizeof(struct sockaddr_un)];
};

static inline int native_family(int family)
{
	return family == DARWIN_INET6 ? AF_INET6 : family;
}

static inline int darwin_family(int family)
{
	return family == AF_INET6 ? DARWIN_INET6 : family;
}

/* The app's address in Linux's form; NULL stays NULL. */
static inline const struct sockaddr *native_address(const void *from, socklen_t length, union address *into)
{
	memset(into, 0, sizeof(*into));
	if (!from)
		return NULL;
	memcpy(into, from, length < sizeof(*into) ? length : sizeof(*into));
	into->any.sa_family = (sa_family_t)native_family(into->bytes[1]);
	return &into->any;
}

/* An address of Linux's into the app's memory, as much as fits. */
static inline void give_address(const union address *from, socklen_t size, void *into, socklen_t *room)
{
	union address own = *from;

	if (!into || !room)
		return;
	own.bytes[1] = (unsigned char)darwin_family(from->any.sa_family);
	own.bytes[0] = (unsigned char)size;
	memcpy(into, &own, *room < size ? *room : size);
	*room = size;
}

#endif
