/*
 * The layer link: one Unix stream connection between this process and its session. Called by ops/ only.
 *
 * Theory of operation
 *
 * Opening. The first message connects, says hello and learns whether incoming is to be caught. A process that has
 * nothing to say never connects. The descriptor is close-on-exec and lies at a high number, so that the app's own
 * numbers come out as without us.
 *
 * Exchange. One request at a time: lock, send, read the answer, unlock. All signals are blocked meanwhile, so a
 * handler of this thread cannot come back for the lock. Nothing but raw system calls happens under the lock. An
 * answer has the request's kind and id; anything else means that the peer is no session of ours, and the link is lost.
 *
 * Loss. Once lost, a link stays lost: every later request is -EIO, which the ops hand to the app for what the session
 * manages. We never act locally instead. Only if the app closed our descriptor behind our back (a raw close_range,
 * say) is a new one opened: its number may by now be a file of the app, which is why every exchange first compares
 * the socket's identity.
 *
 * Fork. What belongs to one process lies in a page that the kernel zeroes in every fork child (MADV_WIPEONFORK,
 * madvise(2)); where it cannot, pthread_atfork does it. `owner` 0 means: nobody's yet, take it. `inherited` is
 * ordinary memory and tells the child which descriptor of its parent to close.
 *
 * Vfork. Such a child shares our memory: it sees an owner that is not itself, and must leave everything alone until it
 * execs. link_owns() is false there.
 *
 * Not seen from here: a process that hands its listener to a fork child and ends. The session takes the end of a
 * link as a hint only, and asks the kernel whether somebody still listens.
 */
#include <stdatomic.h>

#include "config.h"
#include "link.h"
#include "sys.h"

/* The largest request is a hello with its path; the largest answer read is a failure without its text. */
#define REQUEST_BYTES 512
#define REPLY_BYTES 64
#define EXECUTABLE_BYTES 256

enum link_state { LINK_NEW, LINK_OPEN, LINK_LOST };

struct link {
	_Atomic(uint32_t) lock;
	_Atomic(pid_t) owner;
	_Atomic(int) number; /* the descriptor plus one; 0 = none */
	uint64_t process; /* tells this process from every other of the session */
	uint64_t identity;
	enum link_state state;
	bool floors[LINK_FILES + 1]; /* by enum link_floor */
	unsigned char *scratch; /* WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD bytes; NULL until needed */
	uint32_t last_id;
};

static struct link *link;
static struct {
	int fd;
	uint64_t identity;
} inherited = { .fd = -1 };

bool link_start(void)
{
	link = sys_map(sizeof(*link), true);
	if (!link)
		return false;
	atomic_store(&link->owner, sys_getpid());
	return true;
}

static bool is_socket(int fd, uint64_t identity)
{
	struct sys_identity ours = { .device = 0, .number = identity };

	return fd >= 0 && sys_is(fd, &ours);
}

/* The parent must see its link end when it closes it, so no child keeps a copy. */
static void close_inherited(void)
{
	if (is_socket(inherited.fd, inherited.identity))
		sys_close(inherited.fd);
	inherited.fd = -1;
}

void link_forked(void)
{
	memset(link, 0, sizeof(*link));
	atomic_store(&link->owner, sys_getpid());
	close_inherited();
}

bool link_owns(void)
{
	pid_t self = sys_getpid(), nobody = 0;

	if (atomic_load(&link->owner) == self)
		return true;
	if (!atomic_compare_exchange_strong(&link->owner, &nobody, self))
		return nobody == self;
	close_inherited();
	return true;
}

int link_fd(void)
{
	return link ? atomic_load_explicit(&link->number, memory_order_relaxed) - 1 : -1;
}

static void use_descriptor(int fd)
{
	struct sys_identity found;

	if (fd >= 0 && sys_identity(fd, &found) == 0)
		link->identity = found.number;
	inherited.fd = fd;
	inherited.identity = link->identity;
	atomic_store(&link->number, fd + 1);
}

static int lose(void)
{
	int fd = link_fd();

	if (is_socket(fd, link->identity))
		sys_close(fd);
	use_descriptor(-1);
	link->state = LINK_LOST;
	return -EIO;
}

static int send_frame(uint16_t kind, uint32_t id, unsigned char *frame, int length)
{
	struct wire_header header = { .length = (uint32_t)length, .kind = kind, .flags = 0, .id = id };

	if (length < 0)
		return length;
	wire_pack_header(&header, frame);
	return sys_send_all(link_fd(), frame, WIRE_HEADER_BYTES + (size_t)length);
}

/* Reads a payload: its first `capacity` bytes are kept, the rest is passed over. Returns the bytes kept. */
static int read_payload(uint32_t length, unsigned char *into, size_t capacity)
{
	unsigned char rest[REPLY_BYTES];
	size_t kept = length < capacity ? length : capacity, part;
	int status = sys_receive_all(link_fd(), into, kept);

	for (length -= (uint32_t)kept; status == 0 && length > 0; length -= (uint32_t)part) {
		part = length < sizeof(rest) ? length : sizeof(rest);
		status = sys_receive_all(link_fd(), rest, part);
	}
	return status < 0 ? status : (int)kept;
}

/*
 * Sends the `length` bytes of body that follow the header's room in `frame`, waits for the answer and unpacks it by
 * `unpack`. The session's errno, negated, when it refused; -EIO when the link was lost. Lock held.
 */
static int exchange(uint16_t kind, unsigned char *frame, int length, link_unpack unpack, void *reply)
{
	unsigned char bytes[REPLY_BYTES];
	struct wire_header header;
	struct wire_failure failure;
	uint32_t id = (link->last_id += 2) - 1;
	int got;

	if (send_frame(kind, id, frame, length) < 0)
		return lose();
	if (sys_receive_all(link_fd(), bytes, WIRE_HEADER_BYTES) < 0 || wire_unpack_header(&header, bytes) < 0)
		return lose();
	if (header.kind != kind || header.id != id)
		return lose();
	got = read_payload(header.length, bytes, sizeof(bytes));
	if (got < 0)
		return lose();
	if (!(header.flags & WIRE_ERROR))
		return unpack && unpack(reply, bytes, (size_t)got) < 0 ? lose() : 0;
	/* The errno alone: the text is for people, and may be cut. */
	if (got < 4)
		return lose();
	failure.error = (uint32_t)wire_load(bytes, 4);
	return failure.error > 0 && failure.error < 4096 ? -(int)failure.error : -EIO;
}

#define UNPACK(name) \
	static int unpack_##name(void *reply, const unsigned char *from, size_t length) \
	{ \
		return wire_unpack_##name(reply, from, length); \
	}
UNPACK(hello_reply)
UNPACK(bind_reply)
UNPACK(accepted_reply)
UNPACK(listener_reply)

static int open_link(void)
{
	unsigned char frame[REQUEST_BYTES];
	char path[EXECUTABLE_BYTES];
	struct wire_hello hello = {
		.tables = WIRE_TABLES,
		.pid = (uint32_t)sys_getpid(),
		.parent = (uint32_t)sys_getppid(),
		.executable = { .start = path, .length = (uint32_t)sys_executable(path, sizeof(path)) },
	};
	struct wire_hello_reply reply;
	int fd, length;

	fd = sys_connect_unix(config_socket());
	if (fd < 0)
		return lose();
	use_descriptor(fd);
	/* The socket cookie is never used twice (socket(7)), unlike a process id. */
	if (link->process == 0)
		link->process = link->identity;
	hello.process = link->process;
	length = wire_pack_hello(&hello, frame + WIRE_HEADER_BYTES, sizeof(frame) - WIRE_HEADER_BYTES);
	if (exchange(WIRE_HELLO, frame, length, unpack_hello_reply, &reply) < 0)
		return lose();
	link->floors[LINK_INCOMING] = reply.incoming;
	link->floors[LINK_OUTGOING] = reply.outgoing;
	link->floors[LINK_DNS] = reply.dns;
	link->floors[LINK_FILES] = reply.files;
	link->state = LINK_OPEN;
	return 0;
}

/* A usable link, or -EIO. Lock held. */
static int ensure(void)
{
	if (link->state == LINK_LOST)
		return -EIO;
	if (link->state == LINK_OPEN && is_socket(link_fd(), link->identity))
		return 0;
	return open_link();
}

static void lock_link(struct sys_signals *signals)
{
	sys_block_signals(signals);
	sys_lock(&link->lock);
}

static void unlock_link(const struct sys_signals *signals)
{
	sys_unlock(&link->lock);
	sys_restore_signals(signals);
}

int link_floor(enum link_floor floor)
{
	struct sys_signals signals;
	int status;

	lock_link(&signals);
	status = ensure();
	if (status == 0)
		status = link->floors[floor];
	unlock_link(&signals);
	return status;
}

/* After the answer's header came into the scratch memory: reads the rest. Lock held. */
static int read_answer(uint16_t kind, uint32_t id, link_unpack unpack, void *context)
{
	unsigned char *payload = link->scratch + WIRE_HEADER_BYTES;
	struct wire_header header;
	uint32_t error;

	if (wire_unpack_header(&header, link->scratch) < 0 || header.kind != kind || header.id != id)
		return lose();
	if (header.length > WIRE_MAX_PAYLOAD || sys_receive_all(link_fd(), payload, header.length) < 0)
		return lose();
	if (!(header.flags & WIRE_ERROR))
		return unpack ? unpack(context, payload, header.length) : 0;
	if (header.length < 4)
		return lose();
	error = (uint32_t)wire_load(payload, 4);
	return error > 0 && error < 4096 ? -(int)error : -EIO;
}

/* Sends the question out of the scratch memory and reads the answer into it. Lock held, link open. */
static int ask_at_length(const struct link_ask *ask, link_unpack unpack, void *context)
{
	struct wire_header header = { .length = (uint32_t)(ask->length + ask->content_length), .kind = ask->kind };
	unsigned char *payload = link->scratch + WIRE_HEADER_BYTES;

	if (header.length > WIRE_MAX_PAYLOAD || header.length < ask->length)
		return -EMSGSIZE;
	header.id = (link->last_id += 2) - 1;
	wire_pack_header(&header, link->scratch);
	memcpy(payload, ask->body, ask->length);
	if (ask->content_length > 0)
		memcpy(payload + ask->length, ask->content, ask->content_length);
	if (sys_send_all(link_fd(), link->scratch, WIRE_HEADER_BYTES + header.length) < 0)
		return lose();
	if (sys_receive_all(link_fd(), link->scratch, WIRE_HEADER_BYTES) < 0)
		return lose();
	return read_answer(ask->kind, header.id, unpack, context);
}

int link_request(const struct link_ask *ask, link_unpack unpack, void *context)
{
	struct sys_signals signals;
	int status;

	lock_link(&signals);
	status = ensure();
	if (status == 0 && !link->scratch)
		link->scratch = sys_map(WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD, false);
	if (status == 0)
		status = link->scratch ? ask_at_length(ask, unpack, context) : -ENOMEM;
	unlock_link(&signals);
	return status;
}

int link_wait(const struct link_ask *ask, link_unpack unpack, void *context, int timeout_ms)
{
	(void)timeout_ms;
	return link_request(ask, unpack, context);
}

static int request(uint16_t kind, unsigned char *frame, int length, link_unpack unpack, void *reply)
{
	struct sys_signals signals;
	int status;

	lock_link(&signals);
	status = ensure();
	if (status == 0)
		status = exchange(kind, frame, length, unpack, reply);
	unlock_link(&signals);
	return status;
}

/* Packs `message` behind the header's room of `frame`; both are the caller's locals. */
#define PACKED(name) wire_pack_##name(message, frame + WIRE_HEADER_BYTES, sizeof(frame) - WIRE_HEADER_BYTES)

int link_bind(const struct wire_bind *message, struct wire_bind_reply *reply)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_BIND_BYTES];

	return request(WIRE_BIND, frame, PACKED(bind), unpack_bind_reply, reply);
}

int link_bound(const struct wire_bound *message)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_BOUND_BYTES];

	return request(WIRE_BOUND, frame, PACKED(bound), NULL, NULL);
}

int link_listen(const struct wire_listen *message)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_LISTEN_BYTES];

	return request(WIRE_LISTEN, frame, PACKED(listen), NULL, NULL);
}

int link_accepted(const struct wire_accepted *message, struct wire_accepted_reply *reply)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_ACCEPTED_BYTES];

	return request(WIRE_ACCEPTED, frame, PACKED(accepted), unpack_accepted_reply, reply);
}

int link_listener(const struct wire_listener *message, struct wire_listener_reply *reply)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_LISTENER_BYTES];

	return request(WIRE_LISTENER, frame, PACKED(listener), unpack_listener_reply, reply);
}

void link_closed(const struct wire_closed *message)
{
	unsigned char frame[WIRE_HEADER_BYTES + WIRE_CLOSED_BYTES];
	struct sys_signals signals;

	lock_link(&signals);
	if (link->state == LINK_OPEN && is_socket(link_fd(), link->identity) &&
	    send_frame(WIRE_CLOSED, (link->last_id += 2) - 1, frame, PACKED(closed)) < 0)
		lose();
	unlock_link(&signals);
}

void link_yield(int fd)
{
	struct sys_signals signals;
	int moved;

	lock_link(&signals);
	if (fd == link_fd() && is_socket(fd, link->identity)) {
		moved = sys_dup_high(fd);
		if (moved >= 0) {
			use_descriptor(moved);
			sys_close(fd);
		} else {
			lose();
		}
	}
	unlock_link(&signals);
}
