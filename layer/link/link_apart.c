/*
 * Messages on a connection of their own, for a vfork child: it must not touch the links of the process, since
 * its memory is its parent's. To the session it is a process that sends hello and one message, and ends. The
 * invariant: no memory but the stack and what is mapped and unmapped here. Stacks may be small. See
 * link_apart.h.
 */
#include <limits.h>

#include "config.h"
#include "exchange.h"
#include "hello.h"
#include "link_apart.h"
#include "../sys/sys.h"
#include "way.h"

#define ASK_BYTES (2 * PATH_MAX + 256)
#define ASK_ID 3
/* The longest path that is sent whole. */
#define EXECUTABLE_BYTES 1024
/*
 * Mapped: hello and its path, the message; later what comes, of which hello's answer is passed over in parts.
 */
#define MEMORY_BYTES (3 * WIRE_HEADER_BYTES + 2 * EXECUTABLE_BYTES + ASK_BYTES)

/* A frame at `bytes`, whose body is the packed `ask`, of `room` bytes at most. Its length, or -errno. */
static int pack_frame(const struct ask *ask, uint32_t id, unsigned char *bytes, size_t room)
{
	int length = exchange_pack(ask, bytes + WIRE_HEADER_BYTES, room);
	struct wire_header header = { .length = (uint32_t)length, .kind = ask->shape->kind, .id = id };

	if (length < 0)
		return length;
	wire_pack_header(&header, bytes);
	return length + (int)WIRE_HEADER_BYTES;
}

/* A connection on which hello and `message` were sent; -errno. */
static int say(const struct ask *message, unsigned char *bytes)
{
	struct sys_identity process = { 0, 0 };
	struct wire_hello hello;
	int fd, length, more, status;

	fd = way_connect(config_socket());
	if (fd < 0)
		return fd;
	sys_identity(fd, &process);
	hello = hello_of(process.number, (char *)bytes + MEMORY_BYTES - EXECUTABLE_BYTES, EXECUTABLE_BYTES);
	length = pack_frame(ASK_TELL(hello, &hello), 1, bytes, 2 * EXECUTABLE_BYTES);
	status = more = pack_frame(message, ASK_ID, bytes + length, ASK_BYTES);
	if (more >= 0)
		status = sys_send_all(fd, bytes, (size_t)(length + more));
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
static int greeted(int fd, unsigned char *bytes)
{
	struct wire_header header;
	int status = receive_header(fd, &header, wire_hello_shape.kind);

	if (status == 0 && (header.flags & WIRE_ERROR))
		status = -EIO;
	while (status == 0 && header.length > 0) {
		uint32_t part = header.length < MEMORY_BYTES ? header.length : MEMORY_BYTES;

		status = sys_receive_all(fd, bytes, part);
		header.length -= part;
	}
	return status;
}

static int answered(int fd, const struct ask *ask, unsigned char *bytes)
{
	struct wire_header header;
	int status;

	if (receive_header(fd, &header, ask->shape->kind) < 0 || header.id != ASK_ID || header.length > MEMORY_BYTES ||
	    sys_receive_all(fd, bytes, header.length) < 0)
		return -EIO;
	status = exchange_take(ask, &header, bytes);
	return status == EXCHANGE_LOST ? -EIO : status;
}

/*
 * Sends `ask`, and waits for its answer if that is `wanted`, otherwise for hello's: if the process left
 * before, the session would not read it.
 */
static int exchange(const struct ask *ask, bool wanted)
{
	unsigned char *bytes = sys_map(MEMORY_BYTES, false);
	struct wire_header header;
	struct sys_signals signals;
	int fd, status;

	if (!bytes)
		return -ENOMEM;
	sys_block_signals(&signals);
	fd = say(ask, bytes);
	if (fd < 0)
		status = wanted && fd != -EMSGSIZE ? -EIO : fd; /* the session is lost, whatever connecting says */
	else
		status = wanted ? greeted(fd, bytes) : receive_header(fd, &header, wire_hello_shape.kind);
	if (status == 0 && wanted)
		status = answered(fd, ask, bytes);
	if (fd >= 0)
		sys_close(fd);
	sys_restore_signals(&signals);
	sys_unmap(bytes, MEMORY_BYTES);
	return status;
}

int ask_tell_apart(const struct ask *message)
{
	return exchange(message, false);
}

int ask_apart(const struct ask *ask)
{
	return exchange(ask, true);
}
