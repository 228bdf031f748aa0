/*
 * A question and its answer on one link: packed and sent, read and handed over. Called by ask.c, and by
 * link.c for hello and for late answers. The invariant: an answer has its question's kind and number, or
 * the link is lost.
 */
#include <stdatomic.h>

#include "exchange.h"
#include "../sys/numbers.h"
#include "../sys/sys.h"

int exchange_fd(const struct link *link)
{
	return atomic_load_explicit(&link->number, memory_order_relaxed) - 1;
}

int exchange_pack(const struct ask *ask, unsigned char *into, size_t room)
{
	return wire_pack(ask->shape, ask->message, into, room);
}

int exchange_send(struct link *link, unsigned char *memory, const struct ask *ask)
{
	struct wire_header header = { .kind = ask->shape->kind };
	int length;

	if (!memory)
		return -ENOMEM;
	length = exchange_pack(ask, memory + WIRE_HEADER_BYTES, WIRE_MAX_PAYLOAD);
	if (length < 0)
		return length;
	header.length = (uint32_t)length;
	header.id = (link->last_id += 2) - 1;
	wire_pack_header(&header, memory);
	if (sys_send_all(exchange_fd(link), memory, WIRE_HEADER_BYTES + header.length) < 0)
		return EXCHANGE_LOST;
	return 0;
}

int exchange_take(const struct ask *ask, const struct wire_header *header, const unsigned char *payload)
{
	struct wire_failure failure;

	if (header->flags & WIRE_ERROR) {
		/* The errno alone: the text is for people. */
		if (wire_unpack(&wire_failure_shape, &failure, payload, header->length) < 0)
			return EXCHANGE_LOST;
		return failure.error > 0 && failure.error < 4096 ? -numbers_errno(failure.error) : -EIO;
	}
	if (!ask || !ask->reply_shape)
		return 0;
	if (wire_unpack(ask->reply_shape, ask->reply, payload, header->length) < 0)
		return EXCHANGE_LOST;
	return ask->take ? ask->take(ask->context, ask->reply) : 0;
}

int exchange_receive(struct link *link, unsigned char *memory, const struct ask *ask)
{
	unsigned char *payload = memory + WIRE_HEADER_BYTES;
	struct wire_header header;

	if (sys_receive_all(exchange_fd(link), memory, WIRE_HEADER_BYTES) < 0 || wire_unpack_header(&header, memory) < 0)
		return EXCHANGE_LOST;
	if ((ask && header.kind != ask->shape->kind) || header.id != link->last_id - 1 || header.length > WIRE_MAX_PAYLOAD)
		return EXCHANGE_LOST;
	if (sys_receive_all(exchange_fd(link), payload, header.length) < 0)
		return EXCHANGE_LOST;
	return exchange_take(ask, &header, payload);
}

int exchange_both(struct link *link, unsigned char *memory, const struct ask *ask)
{
	int status = exchange_send(link, memory, ask);

	return status != 0 ? status : exchange_receive(link, memory, ask);
}
