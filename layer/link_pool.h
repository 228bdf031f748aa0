/* One link of this process, taken from the pool by one thread at a time. Between link.c and link_pool.c only. */
#ifndef LAYER_LINK_POOL_H
#define LAYER_LINK_POOL_H

#include <stdint.h>
#include <sys/types.h>

#include "link.h"
#include "sys.h"

struct link {
	_Atomic(uint32_t) lock;
	_Atomic(int) number; /* the descriptor plus one; 0 = none */
	uint64_t identity; /* of the socket */
	uint32_t last_id;
	_Atomic(bool) abandoned; /* nobody waits any more for the answer to last_id */
	_Atomic(pid_t) waiter; /* thread that waits with signals open; 0 = none */
	uintptr_t frame; /* and its asker's */
};

/* What hello was answered: the same on every link. */
struct greeting {
	_Atomic(bool) known;
	_Atomic(bool) floors[LINK_FILES + 1]; /* by enum link_floor */
};

/* Who asks, and how long that one waits. */
struct asker {
	const struct sys_signals *signals; /* let in while all links are busy; NULL: none */
	int64_t deadline; /* by sys_now(); -1: never */
	uintptr_t frame; /* of the public function on the stack */
};
#define ASKER(...) { .frame = (uintptr_t)__builtin_frame_address(0), __VA_ARGS__ }

/*
 * Takes a link that is open and idle. NULL with the reason in *status: -EIO, -EINTR, -ETIMEDOUT. Signals are blocked
 * before and after.
 */
struct link *pool_take(const struct asker *asker, int *status);
void pool_release(struct link *link);

int pool_fd(const struct link *link);
/* WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD bytes for the one who has taken `link`. */
unsigned char *pool_scratch(const struct link *link);
/* The link broke: -EIO, and from now on for everything, unless only its descriptor was closed behind our back. */
int pool_lose(struct link *link);
struct greeting *pool_greeting(void);
bool pool_lost(void);
/* Is there a link to say something on? */
bool pool_open(void);

/* The body of hello for `process`; its length. */
#define LINK_EXECUTABLE_BYTES 256
#define LINK_HELLO_BYTES (WIRE_HELLO_BYTES + LINK_EXECUTABLE_BYTES)
size_t link_pack_hello(uint64_t process, unsigned char body[LINK_HELLO_BYTES]);
/* By link.c, for the pool: hello on a new link of `process`, and its answer kept. 0 or -errno. */
int link_hello(struct link *link, uint64_t process);
/* The rest of an answer that nobody waits for any more. 0 or -errno. */
int link_pass_over(struct link *link);

#endif
