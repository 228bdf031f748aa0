/* Socket addresses of TCP, as the app and as the wire write them. See address.c. */
#ifndef LAYER_ADDRESS_H
#define LAYER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "../../wire.h"

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The bytes of its family's structure. */
static inline socklen_t address_size(const union name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->v4) : sizeof(name->v6);
}

/* BSD's begin with their size, which what it gives to apps must have. */
static inline void address_set_family(union name *name, sa_family_t family)
{
	name->any.sa_family = family;
#ifdef __APPLE__
	name->any.sa_len = (uint8_t)address_size(name);
#endif
}

/* Takes an address over from the app; false when it is not a whole AF_INET or AF_INET6 one. */
bool address_read(union name *name, const struct sockaddr *address, socklen_t length);
/*
 * Gives it to the app as accept(2) does: cut to *length, which becomes the full size. Nothing when `address`
 * is NULL.
 */
void address_write(const union name *name, struct sockaddr *address, socklen_t *length);

/* An IPv4-mapped address is an IPv4 one on the wire. */
struct wire_address address_to_wire(const union name *name);
/* For a socket of `family`; false when that family cannot express it. */
bool address_from_wire(union name *name, const struct wire_address *address, sa_family_t family);

uint16_t address_port(const union name *name);
void address_set_port(union name *name, uint16_t port);
bool address_is_wildcard(const union name *name);
bool address_is_loopback(const union name *name);
bool address_same_host(const union name *a, const union name *b);
/* Family, host and port. */
bool address_same(const union name *a, const union name *b);
/* The family's loopback in place of the host; the port stays. */
void address_to_loopback(union name *name);
/* 127.0.0.1 in place of an IPv4 host, mapped or not. */
void address_to_loopback4(union name *name);
/*
 * Same port, and the hosts are the same or one of them is a wildcard that takes the other, IPV6_V6ONLY aside.
 */
bool address_overlaps(const union name *a, const union name *b);

#endif
