/*
 * Conversions between struct sockaddr and the wire's addresses, and the few questions asked about them.
 * Called by incoming.c and fds.c. Pure: no system call, no state.
 */
#include <arpa/inet.h>
#include <string.h>

#include "address.h"

#define V4_BYTES 4
#define V6_BYTES 16
/* RFC 4291, 2.5.5.2: ::ffff:a.b.c.d */
static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool address_read(union name *name, const struct sockaddr *address, socklen_t length)
{
	union name whole = { 0 };
	size_t size;

	if (!address || length < sizeof(address->sa_family))
		return false;
	if (address->sa_family == AF_INET)
		size = sizeof(name->v4);
	else if (address->sa_family == AF_INET6)
		size = sizeof(name->v6);
	else
		return false;
	if (length < size)
		return false;
	memcpy(&whole, address, size);
	address_set_family(&whole, whole.any.sa_family);
	*name = whole;
	return true;
}

void address_write(const union name *name, struct sockaddr *address, socklen_t *length)
{
	socklen_t size = address_size(name);

	if (!address || !length)
		return;
	memcpy(address, name, *length < size ? *length : size);
	*length = size;
}

static bool is_mapped(const struct in6_addr *host)
{
	return memcmp(host, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

struct wire_address address_to_wire(const union name *name)
{
	struct wire_address address = { 0 };

	address.port = address_port(name);
	if (name->any.sa_family == AF_INET) {
		address.family = 4;
		memcpy(address.bytes, &name->v4.sin_addr, V4_BYTES);
	} else if (is_mapped(&name->v6.sin6_addr)) {
		address.family = 4;
		memcpy(address.bytes, (const uint8_t *)&name->v6.sin6_addr + sizeof(mapped_prefix), V4_BYTES);
	} else {
		address.family = 6;
		memcpy(address.bytes, &name->v6.sin6_addr, V6_BYTES);
	}
	return address;
}

bool address_from_wire(union name *name, const struct wire_address *address, sa_family_t family)
{
	uint8_t *host = (uint8_t *)&name->v6.sin6_addr;

	memset(name, 0, sizeof(*name));
	address_set_family(name, family);
	address_set_port(name, address->port);
	if (family == AF_INET && address->family == 4) {
		memcpy(&name->v4.sin_addr, address->bytes, V4_BYTES);
		return true;
	}
	if (family == AF_INET6 && address->family == 4) {
		memcpy(host, mapped_prefix, sizeof(mapped_prefix));
		memcpy(host + sizeof(mapped_prefix), address->bytes, V4_BYTES);
		return true;
	}
	if (family == AF_INET6 && address->family == 6) {
		memcpy(host, address->bytes, V6_BYTES);
		return true;
	}
	return false;
}

uint16_t address_port(const union name *name)
{
	return ntohs(name->any.sa_family == AF_INET ? name->v4.sin_port : name->v6.sin6_port);
}

void address_set_port(union name *name, uint16_t port)
{
	if (name->any.sa_family == AF_INET)
		name->v4.sin_port = htons(port);
	else
		name->v6.sin6_port = htons(port);
}

bool address_is_loopback(const union name *name)
{
	struct wire_address address = address_to_wire(name);

	if (address.family == 4)
		return address.bytes[0] == 127;
	return IN6_IS_ADDR_LOOPBACK(&name->v6.sin6_addr);
}

bool address_same_host(const union name *a, const union name *b)
{
	struct wire_address left = address_to_wire(a), right = address_to_wire(b);

	return left.family == right.family && memcmp(left.bytes, right.bytes, sizeof(left.bytes)) == 0;
}

void address_to_loopback(union name *name)
{
	if (name->any.sa_family == AF_INET)
		name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		name->v6.sin6_addr = in6addr_loopback;
}

void address_to_loopback4(union name *name)
{
	struct wire_address loopback = { .family = 4, .bytes = { 127, 0, 0, 1 }, .port = address_port(name) };

	address_from_wire(name, &loopback, name->any.sa_family);
}

bool address_is_wildcard(const union name *name)
{
	static const uint8_t zeros[V6_BYTES];

	return memcmp(address_to_wire(name).bytes, zeros, sizeof(zeros)) == 0;
}

bool address_overlaps(const union name *a, const union name *b)
{
	if (address_port(a) != address_port(b))
		return false;
	/* The wildcard of IPv6 takes IPv4, too (ipv6(7)); that of IPv4 none of IPv6. */
	if (address_to_wire(a).family != address_to_wire(b).family)
		return address_is_wildcard(address_to_wire(a).family == 6 ? a : b);
	return address_is_wildcard(a) || address_is_wildcard(b) || address_same_host(a, b);
}

bool address_same(const union name *a, const union name *b)
{
	return a->any.sa_family == b->any.sa_family && address_port(a) == address_port(b) && address_same_host(a, b);
}
