/* Tests of address.c: from the app's form to the wire's, and back. Run by tests/layer/ops_test.ts. */
#include <arpa/inet.h>
#include <string.h>

#include "address.h"
#include "../tap.h"

static union name name_of(const char *host, uint16_t port)
{
	union name name;

	memset(&name, 0, sizeof(name));
	if (inet_pton(AF_INET, host, &name.v4.sin_addr) == 1) {
		name.any.sa_family = AF_INET;
	} else {
		inet_pton(AF_INET6, host, &name.v6.sin6_addr);
		name.any.sa_family = AF_INET6;
	}
	address_set_port(&name, port);
	return name;
}

static bool equal(const union name *a, const union name *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What the wire makes of `host` comes back the same for a socket of `family`. */
static bool survives(const char *host, sa_family_t family)
{
	union name before = name_of(host, 8080), after;
	struct wire_address wire = address_to_wire(&before);

	return address_from_wire(&after, &wire, family) && equal(&before, &after);
}

static void reading(void)
{
	union name name = name_of("203.0.113.7", 80), read;

	ok(address_read(&read, &name.any, sizeof(name.v4)) && equal(&read, &name), "an IPv4 address is read whole");
	ok(address_read(&name, &name.any, sizeof(name.v4)) && equal(&read, &name), "an address is read over itself");
	ok(!address_read(&read, &name.any, sizeof(name.v4) - 1), "a cut address is refused");
	ok(!address_read(&read, NULL, 16), "no address is refused");
	ok(!address_read(&read, &name.any, 1), "not even a family is refused");
	name.any.sa_family = AF_UNIX;
	ok(!address_read(&read, &name.any, sizeof(name)), "another family is refused");
}

static void writing(void)
{
	union name name = name_of("2001:db8::7", 80);
	unsigned char buffer[64];
	socklen_t length = 5;

	memset(buffer, 0xee, sizeof(buffer));
	address_write(&name, (struct sockaddr *)buffer, &length);
	ok(length == sizeof(name.v6), "the whole length is returned for a cut address");
	ok(memcmp(buffer, &name, 5) == 0 && buffer[5] == 0xee, "nothing is written past the app's buffer");
	length = 64;
	address_write(&name, (struct sockaddr *)buffer, &length);
	ok(length == sizeof(name.v6) && buffer[sizeof(name.v6)] == 0xee, "a large buffer gets the address only");
	address_write(&name, NULL, NULL);
	ok(true, "no buffer is no trouble");
}

static void wire(void)
{
	union name mapped = name_of("::ffff:203.0.113.7", 1), name;
	struct wire_address address = address_to_wire(&mapped), v6;

	ok(survives("203.0.113.7", AF_INET), "IPv4 survives the wire");
	ok(survives("2001:db8::7", AF_INET6), "IPv6 survives the wire");
	ok(survives("::ffff:203.0.113.7", AF_INET6), "a mapped address survives the wire");
	ok(survives("::", AF_INET6) && survives("0.0.0.0", AF_INET), "wildcards survive the wire");
	ok(address.family == 4 && address.bytes[0] == 203, "a mapped address is IPv4 on the wire");
	name = name_of("2001:db8::7", 1);
	v6 = address_to_wire(&name);
	ok(!address_from_wire(&name, &v6, AF_INET), "an IPv4 socket cannot express an IPv6 address");
	v6.family = 0;
	ok(!address_from_wire(&name, &v6, AF_INET6), "no address is not expressed");
}

static bool overlap(const char *a, const char *b, uint16_t port)
{
	union name left = name_of(a, 80), right = name_of(b, port);

	return address_overlaps(&left, &right);
}

static void questions(void)
{
	union name name = name_of("127.9.8.7", 80);

	ok(address_is_loopback(&name), "all of 127/8 is loopback");
	name = name_of("::ffff:127.0.0.1", 80);
	ok(address_is_loopback(&name), "so is a mapped one");
	name = name_of("::1", 80);
	ok(address_is_loopback(&name), "so is ::1");
	name = name_of("10.0.0.1", 80);
	ok(!address_is_loopback(&name), "10.0.0.1 is not");
	address_to_loopback(&name);
	ok(address_is_loopback(&name) && address_port(&name) == 80, "the loopback keeps the port");
	ok(overlap("0.0.0.0", "10.0.0.1", 80), "a wildcard overlaps with every address");
	ok(!overlap("0.0.0.0", "10.0.0.1", 81), "but not on another port");
	ok(!overlap("10.0.0.2", "10.0.0.1", 80), "two addresses do not overlap");
	ok(!overlap("0.0.0.0", "::1", 80), "two families do not overlap");
	ok(overlap("::", "10.0.0.1", 80) && overlap("0.0.0.0", "::", 80), "but with the wildcard of IPv6");
	ok(overlap("::ffff:0.0.0.0", "10.0.0.1", 80), "a mapped wildcard is one of IPv4");
}

int main(void)
{
	reading();
	writing();
	wire();
	questions();
	return tap_end();
}
