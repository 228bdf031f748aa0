/*
 * Messages on a connection of their own, for who must not touch the links of the process: a vfork child, whose memory is its
 * parent's. To the session it is a process that says hello and one thing, and ends.
 * The invariant: no memory but the stack.
 */
#include <limits.h>

#include "config.h"
#include "link_pool.h"
#include "way.h"

#define ASK_BYTES (PATH_MAX + 256)
#define ANSWER_BYTES (2 * PATH_MAX + 64)
#define ASK_ID 3

/* A connection on which hello and `message` are said; -errno. */
static int say(const struct link_ask *message)
{
	unsigned char bytes[WIRE_HEADER_BYTES + LINK_HELLO_BYTES + WIRE_HEADER_BYTES + ASK_BYTES];
	struct wire_header header = { .kind = WIRE_HELLO, .id = 1 };
	struct sys_identity process = { 0, 0 };
	size_t length;
	int fd, status;

	if (message->length > ASK_BYTES)
		return -EMSGSIZE;
	fd = way_connect(config_socket());
	if (fd < 0)
		return fd;
	sys_identity(fd, &process);
	header.length = (uint32_t)link_pack_hello(process.number, bytes + WIRE_HEADER_BYTES);
	wire_pack_header(&header, bytes);
	length = WIRE_HEADER_BYTES + header.length;
	header = (struct wire_header){ .length = (uint32_t)message->length, .kind = message->kind, .id = ASK_ID };
	wire_pack_header(&header, bytes + length);
	memcpy(bytes + length + WIRE_HEADER_BYTES, message->body, message->length);
	status = sys_send_all(fd, bytes, length + WIRE_HEADER_BYTES + message->length);
	if (status == 0)
		return fd;
	sys_close(fd);
	return status;
}

static int receive_header(int fd, struct wire_header *header, uint16_t kind)
{
	unsigned char bytes[WIRE_HEADER_BYTES];

	if (sys_receive_all(fd, bytes, sizeof(bytes)) < 0 || wire_unpack_header(header, bytes) < 0)
		return -EIO;
	return header->kind == kind && header->length <= WIRE_MAX_PAYLOAD ? 0 : -EIO;
}

/* Passes over hello's answer. */
static int greeted(int fd)
{
	struct wire_header header;
	unsigned char bytes[1024];
	int status = receive_header(fd, &header, WIRE_HELLO);

	if (status == 0 && (header.flags & WIRE_ERROR))
		status = -EIO;
	while (status == 0 && header.length > 0) {
		uint32_t part = header.length < sizeof(bytes) ? header.length : sizeof(bytes);

		status = sys_receive_all(fd, bytes, part);
		header.length -= part;
	}
	return status;
}

static int answered(int fd, uint16_t kind, link_unpack unpack, void *context)
{
	unsigned char bytes[ANSWER_BYTES];
	struct wire_header header;
	uint32_t error;

	if (receive_header(fd, &header, kind) < 0 || header.id != ASK_ID || header.length > sizeof(bytes) ||
	    sys_receive_all(fd, bytes, header.length) < 0)
		return -EIO;
	if (!(header.flags & WIRE_ERROR))
		return unpack(context, bytes, header.length);
	error = header.length < 4 ? 0 : (uint32_t)wire_load(bytes, 4);
	return error > 0 && error < 4096 ? -(int)error : -EIO;
}

int link_say_apart(const struct link_ask *message)
{
	unsigned char bytes[WIRE_HEADER_BYTES];
	struct sys_signals signals;
	int fd, status;

	sys_block_signals(&signals);
	status = fd = say(message);
	/* Hello's answer: who left before it would not be heard either. */
	if (fd >= 0) {
		status = sys_receive_all(fd, bytes, sizeof(bytes));
		sys_close(fd);
	}
	sys_restore_signals(&signals);
	return status < 0 ? status : 0;
}

int link_ask_apart(const struct link_ask *ask, link_unpack unpack, void *context)
{
	struct sys_signals signals;
	int fd, status;

	sys_block_signals(&signals);
	fd = say(ask);
	/* The session is lost, whatever connecting says. */
	status = fd < 0 ? -EIO : greeted(fd);
	if (status == 0)
		status = answered(fd, ask->kind, unpack, context);
	if (fd >= 0)
		sys_close(fd);
	sys_restore_signals(&signals);
	return status;
}
