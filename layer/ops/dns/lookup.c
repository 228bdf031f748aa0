/*
 * Asks the session about hosts and keeps its answers while they are used. Called by host_name.c and
 * preload/libc/: addrinfo.c, nameinfo.c, hostent.c, resolver_linux.c. The invariant: an answer is a copy of
 * its own, made while the link is held, read when it is not; so libc is never called while a lock of the
 * layer is held. A look-up may take as long as the pod's name servers need: ask_patiently().
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "lookup.h"

/* Between two questions after the session said that it is not known yet; doubled up to the last. */
#define FIRST_PAUSE_MS 20
#define LAST_PAUSE_MS 160

/* Copies the three texts of an answer, one behind the other. */
static int keep(struct lookup_answer *answer, struct wire_run name, struct wire_run aliases, struct wire_run addresses)
{
	size_t length = (size_t)name.length + aliases.length + addresses.length;

	answer->bytes = answer->few;
	if (length > sizeof(answer->few)) {
		answer->bytes = sys_map(length, false);
		if (!answer->bytes)
			return -ENOMEM;
		answer->mapped = length;
	}
	answer->name = answer->bytes;
	answer->name_length = name.length;
	answer->aliases = answer->name + name.length;
	answer->aliases_length = aliases.length;
	answer->addresses = (const unsigned char *)answer->aliases + aliases.length;
	answer->address_count = addresses.length / WIRE_PACKED_ADDRESS_BYTES;
	if (name.length)
		memcpy(answer->bytes, name.start, name.length);
	if (aliases.length)
		memcpy(answer->bytes + name.length, aliases.start, aliases.length);
	if (addresses.length)
		memcpy(answer->bytes + name.length + aliases.length, addresses.start, addresses.length);
	return 0;
}

static int keep_host(void *context, const void *told)
{
	const struct wire_lookup_reply *reply = told;
	struct lookup_answer *answer = context;

	answer->pending = reply->pending;
	answer->local = reply->local;
	answer->ending = reply->ending;
	return keep(answer, reply->name, reply->aliases, reply->addresses);
}

static int keep_names(void *context, const void *told)
{
	const struct wire_reverse_reply *reply = told;
	struct lookup_answer *answer = context;

	answer->pending = reply->pending;
	answer->local = reply->local;
	answer->ending = reply->ending;
	return keep(answer, reply->name, reply->aliases, (struct wire_run){ 0 });
}

static int keep_own_name(void *context, const void *told)
{
	const struct wire_host_name_reply *reply = told;
	struct lookup_answer *answer = context;

	answer->local = reply->local;
	return keep(answer, reply->name, (struct wire_run){ 0 }, (struct wire_run){ 0 });
}

static int keep_reply(void *context, const void *told)
{
	const struct wire_resolve_reply *reply = told;
	struct lookup_answer *answer = context;

	answer->pending = reply->pending;
	answer->local = reply->local;
	answer->ending = reply->ending;
	answer->stream = reply->stream;
	answer->error = reply->error;
	return keep(answer, reply->reply, (struct wire_run){ 0 }, (struct wire_run){ 0 });
}

/* `length`: of its name. As in libc, a handler that ran meanwhile does not end a look-up. */
static int look_up(const struct ask *ask, size_t length, struct lookup_answer *answer)
{
	int status = ask_floor(LINK_DNS);

	memset(answer, 0, offsetof(struct lookup_answer, few));
	answer->local = true;
	if (status <= 0)
		return status;
	if (length > WIRE_HOST_NAME_BYTES)
		return -EMSGSIZE;
	do {
		status = ask_patiently(ask, -1);
	} while (status == -EINTR);
	return status;
}

static struct wire_run text(const char *name)
{
	return (struct wire_run){ .start = name, .length = name ? (uint32_t)strlen(name) : 0 };
}

/* This word is never woken: time alone ends the wait. Doubles `pause`. */
static void rest(int *pause)
{
	static _Atomic(uint32_t) word;

	sys_wait_word(&word, 0, *pause);
	if (*pause < LAST_PAUSE_MS)
		*pause *= 2;
}

int lookup_host(const char *name, uint8_t family, uint16_t flags, uint16_t port, struct lookup_answer *answer)
{
	struct wire_lookup message = { .family = family, .flags = flags, .port = port, .name = text(name) };
	int status, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		status = look_up(ASK_TAKE(lookup, &message, keep_host, answer), message.name.length, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_address(const union name *address, struct lookup_answer *answer)
{
	struct wire_reverse message = { .address = address_to_wire(address) };
	int status, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		status = look_up(ASK_TAKE(reverse, &message, keep_names, answer), 0, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_reply(const struct lookup_question *asked, struct lookup_answer *answer)
{
	struct wire_resolve message = {
		.flags = asked->flags,
		.class = asked->class,
		.type = asked->type,
		.room = asked->room,
		.name = text(asked->name),
		.query = { .start = (const char *)asked->query, .length = (uint32_t)asked->query_length },
	};
	int status, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		status = look_up(ASK_TAKE(resolve, &message, keep_reply, answer), message.name.length, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_own_name(struct lookup_answer *answer)
{
	return look_up(ASK_TAKE(host_name, NULL, keep_own_name, answer), 0, answer);
}

void lookup_free(struct lookup_answer *answer)
{
	if (answer->mapped)
		sys_unmap(answer->bytes, answer->mapped);
	answer->mapped = 0;
}

void lookup_tell(const char *name, const unsigned char *addresses, size_t count)
{
	struct wire_found message = { .name = text(name), .addresses.start = (const char *)addresses };

	if (count > WIRE_TOLD_ADDRESSES)
		count = WIRE_TOLD_ADDRESSES;
	message.addresses.length = (uint32_t)(count * WIRE_PACKED_ADDRESS_BYTES);
	if (count > 0 && message.name.length <= WIRE_HOST_NAME_BYTES && ask_floor(LINK_DNS) > 0)
		ask_now(ASK_TELL(found, &message));
}

void lookup_tell_reply(const char *name, const unsigned char *reply, size_t length)
{
	struct wire_resolved message = {
		.name = text(name), .reply = { .start = (const char *)reply, .length = (uint32_t)length }
	};

	if (message.name.length <= WIRE_HOST_NAME_BYTES && ask_floor(LINK_DNS) > 0)
		ask_now(ASK_TELL(resolved, &message));
}

void lookup_pack(unsigned char *into, int family, const void *bytes)
{
	memset(into, 0, WIRE_PACKED_ADDRESS_BYTES);
	into[0] = family == AF_INET ? 4 : 6;
	memcpy(into + 1, bytes, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
}

int lookup_family(const unsigned char *packed)
{
	return packed[0] == 4 ? AF_INET : AF_INET6;
}
