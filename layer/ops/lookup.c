/*
 * Asks the session about hosts and keeps its answers while they are used. Called by dns.c, hostent.c, host_name.c and
 * resolver.c.
 * The invariant: an answer is a copy of its own, made while the link is held, read when it is not; so libc is never
 * called with a lock of ours taken. A look-up may take as long as the pod's name servers let it: link_wait().
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "../sys.h"
#include "lookup.h"

/* A question: its largest body is a name's. */
#define BODY_BYTES (WIRE_LOOKUP_BYTES + LOOKUP_NAME_BYTES)

/* Between two questions after the session said that it is not known yet; doubled up to the last. */
#define FIRST_PAUSE_MS 20
#define LAST_PAUSE_MS 160

/* Addresses that are told of a local name at most. */
#define TOLD_ADDRESSES 64

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
	answer->address_count = addresses.length / LOOKUP_ADDRESS_BYTES;
	if (name.length)
		memcpy(answer->bytes, name.start, name.length);
	if (aliases.length)
		memcpy(answer->bytes + name.length, aliases.start, aliases.length);
	if (addresses.length)
		memcpy(answer->bytes + name.length + aliases.length, addresses.start, addresses.length);
	return 0;
}

static int keep_host(void *context, const unsigned char *from, size_t length)
{
	struct lookup_answer *answer = context;
	struct wire_lookup_reply reply;

	if (wire_unpack_lookup_reply(&reply, from, length) < 0)
		return -EIO;
	answer->pending = reply.pending;
	answer->local = reply.local;
	answer->ending = reply.ending;
	return keep(answer, reply.name, reply.aliases, reply.addresses);
}

static int keep_names(void *context, const unsigned char *from, size_t length)
{
	struct lookup_answer *answer = context;
	struct wire_reverse_reply reply;

	if (wire_unpack_reverse_reply(&reply, from, length) < 0)
		return -EIO;
	answer->pending = reply.pending;
	answer->local = reply.local;
	answer->ending = reply.ending;
	return keep(answer, reply.name, reply.aliases, (struct wire_run){ 0 });
}

static int keep_own_name(void *context, const unsigned char *from, size_t length)
{
	struct lookup_answer *answer = context;
	struct wire_host_name_reply reply;

	if (wire_unpack_host_name_reply(&reply, from, length) < 0)
		return -EIO;
	answer->local = reply.local;
	return keep(answer, reply.name, (struct wire_run){ 0 }, (struct wire_run){ 0 });
}

static int keep_reply(void *context, const unsigned char *from, size_t length)
{
	struct lookup_answer *answer = context;
	struct wire_resolve_reply reply;

	if (wire_unpack_resolve_reply(&reply, from, length) < 0)
		return -EIO;
	answer->pending = reply.pending;
	answer->local = reply.local;
	answer->ending = reply.ending;
	answer->stream = reply.stream;
	answer->error = reply.error;
	return keep(answer, reply.reply, (struct wire_run){ 0 }, (struct wire_run){ 0 });
}

/* `question` but for its length. A handler that ran meanwhile does not end a look-up, as it ends none of libc's. */
static int ask_with(struct link_ask *question, int length, link_unpack unpack, struct lookup_answer *answer)
{
	int status = link_floor(LINK_DNS);

	question->length = (size_t)length;

	memset(answer, 0, offsetof(struct lookup_answer, few));
	answer->local = true;
	if (status <= 0)
		return status;
	if (length < 0)
		return length;
	do {
		status = link_wait(question, unpack, answer, -1);
	} while (status == -EINTR);
	return status;
}

static int ask(uint16_t kind, const unsigned char *body, int length, link_unpack unpack, struct lookup_answer *answer)
{
	struct link_ask question = { .kind = kind, .body = body };

	return ask_with(&question, length, unpack, answer);
}

/* Nobody wakes this word: time alone does. Doubles `pause`. */
static void rest(int *pause)
{
	static _Atomic(uint32_t) word;

	sys_wait_word(&word, 0, *pause);
	if (*pause < LAST_PAUSE_MS)
		*pause *= 2;
}

int lookup_host(const char *name, uint8_t family, uint16_t flags, uint16_t port, struct lookup_answer *answer)
{
	unsigned char body[BODY_BYTES];
	struct wire_lookup message = {
		.family = family,
		.flags = flags,
		.port = port,
		.name = { .start = name, .length = (uint32_t)strlen(name) },
	};

	int status, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		status = ask(WIRE_LOOKUP, body, wire_pack_lookup(&message, body, sizeof(body)), keep_host, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_address(const union name *address, struct lookup_answer *answer)
{
	unsigned char body[WIRE_REVERSE_BYTES];
	struct wire_reverse message = { .address = address_to_wire(address) };
	int status, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		status = ask(WIRE_REVERSE, body, wire_pack_reverse(&message, body, sizeof(body)), keep_names, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_reply(const struct lookup_question *asked, struct lookup_answer *answer)
{
	unsigned char body[WIRE_RESOLVE_BYTES + LOOKUP_NAME_BYTES];
	/* The query follows its length, which stands last: it is not copied into the body. */
	struct link_ask question = {
		.kind = WIRE_RESOLVE, .body = body, .content = asked->query, .content_length = asked->query_length
	};
	struct wire_resolve message = {
		.flags = asked->flags,
		.class = asked->class,
		.type = asked->type,
		.room = asked->room,
		.name = { .start = asked->name, .length = asked->name ? (uint32_t)strlen(asked->name) : 0 },
	};
	int status, length, pause = FIRST_PAUSE_MS;

	for (;; message.again = true) {
		length = wire_pack_resolve(&message, body, sizeof(body));
		if (length >= 4)
			wire_store(body + length - 4, 4, asked->query_length);
		status = ask_with(&question, length, keep_reply, answer);
		if (status < 0 || !answer->pending)
			return status;
		rest(&pause);
	}
}

int lookup_own_name(struct lookup_answer *answer)
{
	return ask(WIRE_HOST_NAME, NULL, 0, keep_own_name, answer);
}

void lookup_free(struct lookup_answer *answer)
{
	if (answer->mapped)
		sys_unmap(answer->bytes, answer->mapped);
	answer->mapped = 0;
}

void lookup_tell(const char *name, const unsigned char *addresses, size_t count)
{
	unsigned char body[WIRE_FOUND_BYTES + LOOKUP_NAME_BYTES + TOLD_ADDRESSES * LOOKUP_ADDRESS_BYTES];
	struct link_ask question = { .kind = WIRE_FOUND, .body = body };
	struct wire_found message = { .name = { .start = name, .length = (uint32_t)strlen(name) } };
	int length;

	if (count > TOLD_ADDRESSES)
		count = TOLD_ADDRESSES;
	message.addresses.start = (const char *)addresses;
	message.addresses.length = (uint32_t)(count * LOOKUP_ADDRESS_BYTES);
	length = wire_pack_found(&message, body, sizeof(body));
	if (count == 0 || length < 0 || link_floor(LINK_DNS) <= 0)
		return;
	question.length = (size_t)length;
	link_request(&question, NULL, NULL);
}

void lookup_tell_reply(const char *name, const unsigned char *reply, size_t length)
{
	unsigned char body[WIRE_RESOLVED_BYTES + LOOKUP_NAME_BYTES];
	struct link_ask question = { .kind = WIRE_RESOLVED, .body = body, .content = reply, .content_length = length };
	struct wire_resolved message = { .name = { .start = name, .length = (uint32_t)strlen(name) } };
	int packed = wire_pack_resolved(&message, body, sizeof(body));

	if (packed < 4 || link_floor(LINK_DNS) <= 0)
		return;
	wire_store(body + packed - 4, 4, length);
	question.length = (size_t)packed;
	link_request(&question, NULL, NULL);
}

void lookup_pack(unsigned char *into, int family, const void *bytes)
{
	memset(into, 0, LOOKUP_ADDRESS_BYTES);
	into[0] = family == AF_INET ? 4 : 6;
	memcpy(into + 1, bytes, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
}

int lookup_family(const unsigned char *packed)
{
	return packed[0] == 4 ? AF_INET : AF_INET6;
}
