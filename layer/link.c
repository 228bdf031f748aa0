/*
 * The layer link: Unix stream connections between this process and its session. Called by ops/ only.
 *
 * Theory of operation
 *
 * Opening. The first question connects, says hello and learns which floors are to be caught. A process that has
 * nothing to say never connects. Descriptors are close-on-exec and lie at high numbers, so that the app's own
 * numbers come out as without us.
 *
 * Exchange. A thread takes a link (link_pool.c), sends, reads the answer, gives it back: one question at a time on a
 * link, side by side on several, so a slow answer keeps only its own thread. An answer has the question's kind and id;
 * anything else means that the peer is no session of ours, and the session is lost. Questions of one thread may go by
 * different links; what must keep its order is therefore answered (link_tell() is for the rest).
 *
 * Signals. link_request() blocks them: its answer comes at once. link_wait() lets them in while it waits, and a
 * handler's own calls are hooked, over another link. Who leaves before the answer came (a signal, a timeout) abandons
 * the link: it is used again when the late answer has been passed over. It is not closed, for the session takes the
 * end of a process's last link for the end of the process.
 *
 * Loss. Once lost, a session stays lost: every later request is -EIO, which the ops hand to the app for what the
 * session decides. We never act locally instead. Only if the app closed a descriptor behind our back (a raw
 * close_range, say) is a new link opened: its number may by now be a file of the app, which is why every exchange first
 * compares the socket's identity.
 *
 * Fork. What belongs to one process lies in memory that the kernel zeroes in every fork child (MADV_WIPEONFORK,
 * madvise(2)); where it cannot, pthread_atfork does it. So no lock is held in a child, whatever the parent's other
 * threads did. The child closes its copies of the parent's descriptors. While one is made and not yet noted, libc's
 * fork waits.
 *
 * Vfork. Such a child shares our memory: it sees an owner that is not itself, and must leave everything alone until it
 * execs. link_owns() is false there. What it has to say goes by link_apart.c.
 *
 * Not seen from here: a process that hands its listener to a fork child and ends. The session takes the end of a
 * process as a hint only, and asks the kernel whether somebody still listens.
 */
#include <stdatomic.h>

#include "config.h"
#include "guard.h"
#include "link_pool.h"

static _Atomic(const char *) paths;
static _Atomic(uint32_t) paths_length;

/* Sends the question out of the scratch memory. */
static int send_question(struct link *link, const struct link_ask *ask)
{
	struct wire_header header = { .length = (uint32_t)(ask->length + ask->content_length), .kind = ask->kind };
	unsigned char *bytes = pool_scratch(link);

	if (!bytes)
		return -ENOMEM;
	if (header.length > WIRE_MAX_PAYLOAD || header.length < ask->length)
		return -EMSGSIZE;
	header.id = (link->last_id += 2) - 1;
	wire_pack_header(&header, bytes);
	memcpy(bytes + WIRE_HEADER_BYTES, ask->body, ask->length);
	if (ask->content_length > 0)
		memcpy(bytes + WIRE_HEADER_BYTES + ask->length, ask->content, ask->content_length);
	if (sys_send_all(pool_fd(link), bytes, WIRE_HEADER_BYTES + header.length) < 0)
		return pool_lose(link);
	return 0;
}

/* Reads the answer to the last question into the scratch memory. The session's errno, negated, when it refused. */
static int read_answer(struct link *link, uint16_t kind, link_unpack unpack, void *context)
{
	unsigned char *bytes = pool_scratch(link), *payload = bytes + WIRE_HEADER_BYTES;
	struct wire_header header;
	uint32_t error;
	int status;

	if (sys_receive_all(pool_fd(link), bytes, WIRE_HEADER_BYTES) < 0 || wire_unpack_header(&header, bytes) < 0)
		return pool_lose(link);
	if ((kind && header.kind != kind) || header.id != link->last_id - 1 || header.length > WIRE_MAX_PAYLOAD)
		return pool_lose(link);
	if (sys_receive_all(pool_fd(link), payload, header.length) < 0)
		return pool_lose(link);
	if (!(header.flags & WIRE_ERROR)) {
		status = unpack ? unpack(context, payload, header.length) : 0;
		return status == -EPROTO ? pool_lose(link) : status;
	}
	/* The errno alone: the text is for people. */
	if (header.length < 4)
		return pool_lose(link);
	error = (uint32_t)wire_load(payload, 4);
	return error > 0 && error < 4096 ? -(int)error : -EIO;
}

int link_pass_over(struct link *link)
{
	int status = read_answer(link, 0, NULL, NULL);

	if (pool_fd(link) < 0)
		return status;
	atomic_store(&link->abandoned, false);
	return 0;
}

static int ask_on(struct link *link, const struct link_ask *ask, link_unpack unpack, void *context)
{
	int status = send_question(link, ask);

	return status < 0 ? status : read_answer(link, ask->kind, unpack, context);
}

/* The first table is kept, also over fork: a session has but one. */
static void keep_paths(struct wire_run run)
{
	const char *none = NULL;
	char *copy = run.length > 0 && !atomic_load(&paths) ? sys_map(run.length, false) : NULL;

	if (!copy)
		return;
	memcpy(copy, run.start, run.length);
	atomic_store(&paths_length, run.length);
	if (!atomic_compare_exchange_strong(&paths, &none, copy))
		sys_unmap(copy, run.length);
}

static int unpack_hello_reply(void *context, const unsigned char *from, size_t length)
{
	struct greeting *greeting = context;
	struct wire_hello_reply reply;
	int status = wire_unpack_hello_reply(&reply, from, length);

	if (status < 0)
		return status;
	keep_paths(reply.paths);
	greeting->floors[LINK_INCOMING] = reply.incoming;
	greeting->floors[LINK_OUTGOING] = reply.outgoing;
	greeting->floors[LINK_DNS] = reply.dns;
	greeting->floors[LINK_FILES] = reply.files;
	atomic_store(&greeting->known, true);
	return 0;
}

size_t link_pack_hello(uint64_t process, unsigned char body[LINK_HELLO_BYTES])
{
	char path[LINK_EXECUTABLE_BYTES];
	struct wire_hello hello = {
		.tables = WIRE_TABLES,
		.process = process,
		.pid = (uint32_t)sys_getpid(),
		.parent = (uint32_t)sys_getppid(),
		.executable = { .start = path, .length = (uint32_t)sys_executable(path, sizeof(path)) },
	};

	return (size_t)wire_pack_hello(&hello, body, LINK_HELLO_BYTES);
}

int link_hello(struct link *link, uint64_t process)
{
	unsigned char body[LINK_HELLO_BYTES];
	struct link_ask ask = { .kind = WIRE_HELLO, .body = body, .length = link_pack_hello(process, body) };

	return ask_on(link, &ask, unpack_hello_reply, pool_greeting());
}

struct wire_run link_paths(void)
{
	struct wire_run run = { .start = atomic_load(&paths), .length = 0 };

	if (run.start)
		run.length = atomic_load(&paths_length);
	return run;
}

int link_request(const struct link_ask *ask, link_unpack unpack, void *context)
{
	struct asker asker = ASKER(.deadline = -1);
	struct sys_signals signals;
	struct link *link;
	int status;

	sys_block_signals(&signals);
	link = pool_take(&asker, &status);
	if (link) {
		status = ask_on(link, ask, unpack, context);
		pool_release(link);
	}
	sys_restore_signals(&signals);
	return status;
}

enum waited { ANSWERED, LEFT, GONE };

/* Waits for the answer with signals open. GONE: the link is not this thread's any more; -errno in *status if not ANSWERED. */
static enum waited await_answer(struct link *link, const struct asker *asker, int *status)
{
	int64_t left = asker->deadline < 0 ? -1 : asker->deadline - sys_now();
	pid_t process = sys_getpid(), self = sys_gettid();
	bool inside = guard_inside;

	link->frame = asker->frame;
	atomic_store(&link->waiter, self);
	guard_inside = false;
	*status = sys_await_bytes(pool_fd(link), asker->deadline >= 0 && left < 0 ? 0 : (int)left, asker->signals);
	guard_inside = inside;
	if (*status > 0)
		*status = 0;
	else if (*status == 0)
		*status = -ETIMEDOUT;
	/* A handler may have forked, and this be the child; or the pool gave the link away. */
	if (process != sys_getpid() || !atomic_compare_exchange_strong(&link->waiter, &self, 0)) {
		*status = -EINTR;
		return GONE;
	}
	return *status < 0 ? LEFT : ANSWERED;
}

int link_wait(const struct link_ask *ask, link_unpack unpack, void *context, int timeout_ms)
{
	struct sys_signals signals;
	struct asker asker =
		ASKER(.signals = &signals, .deadline = timeout_ms < 0 ? -1 : sys_now() + timeout_ms);
	enum waited waited = LEFT;
	struct link *link;
	int status;

	sys_block_signals(&signals);
	link = pool_take(&asker, &status);
	if (!link)
		goto out;
	status = send_question(link, ask);
	if (status == 0) {
		waited = await_answer(link, &asker, &status);
		if (waited == ANSWERED)
			status = read_answer(link, ask->kind, unpack, context);
		else if (waited == LEFT)
			atomic_store(&link->abandoned, true);
	}
	if (waited != GONE)
		pool_release(link);
out:
	sys_restore_signals(&signals);
	return status;
}

int link_tell(const struct link_ask *message)
{
	struct asker asker = ASKER(.deadline = -1);
	struct sys_signals signals;
	struct link *link;
	int status;

	sys_block_signals(&signals);
	link = pool_take(&asker, &status);
	if (link) {
		status = send_question(link, message);
		pool_release(link);
	}
	sys_restore_signals(&signals);
	return status;
}

int link_floor(enum link_floor floor)
{
	struct asker asker = ASKER(.deadline = -1);
	struct greeting *greeting = pool_greeting();
	struct sys_signals signals;
	struct link *link;
	int status = 0;

	if (!atomic_load(&greeting->known)) {
		sys_block_signals(&signals);
		link = pool_take(&asker, &status);
		if (link)
			pool_release(link);
		sys_restore_signals(&signals);
	}
	return status < 0 || pool_lost() ? -EIO : greeting->floors[floor];
}

#define UNPACK(name) \
	static int unpack_##name(void *reply, const unsigned char *from, size_t length) \
	{ \
		return wire_unpack_##name(reply, from, length); \
	}
UNPACK(bind_reply)
UNPACK(accepted_reply)
UNPACK(listener_reply)

/* Packs `message`, a pointer of the caller, into the body of a question. */
#define QUESTION(NAME, name) \
	unsigned char body[WIRE_##NAME##_BYTES]; \
	struct link_ask ask = { .kind = WIRE_##NAME, .body = body }; \
	ask.length = (size_t)wire_pack_##name(message, body, sizeof(body))

int link_bind(const struct wire_bind *message, struct wire_bind_reply *reply)
{
	QUESTION(BIND, bind);
	return link_request(&ask, unpack_bind_reply, reply);
}

int link_bound(const struct wire_bound *message)
{
	QUESTION(BOUND, bound);
	return link_request(&ask, NULL, NULL);
}

int link_listen(const struct wire_listen *message)
{
	QUESTION(LISTEN, listen);
	return link_request(&ask, NULL, NULL);
}

int link_accepted(const struct wire_accepted *message, struct wire_accepted_reply *reply)
{
	QUESTION(ACCEPTED, accepted);
	return link_request(&ask, unpack_accepted_reply, reply);
}

int link_listener(const struct wire_listener *message, struct wire_listener_reply *reply)
{
	QUESTION(LISTENER, listener);
	return link_request(&ask, unpack_listener_reply, reply);
}

void link_closed(const struct wire_closed *message)
{
	QUESTION(CLOSED, closed);
	if (pool_open())
		link_request(&ask, NULL, NULL);
}
