/*
 * Hello: which process this is, and which floors the session wants hooked. Called by link.c for each new
 * link and by link_apart.c. The invariant: the first answer counts, for this process and its fork children; a
 * session has but one.
 */
#include <limits.h>
#include <stdatomic.h>

#include "exchange.h"
#include "hello.h"
#include "../sys/sys.h"

static _Atomic(const char *) paths;
static _Atomic(uint32_t) paths_length;

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

static int keep_greeting(void *context, const void *answer)
{
	const struct wire_hello_reply *reply = answer;
	struct greeting *greeting = context;

	keep_paths(reply->paths);
	greeting->floors[LINK_INCOMING] = reply->incoming;
	greeting->floors[LINK_OUTGOING] = reply->outgoing;
	greeting->floors[LINK_DNS] = reply->dns;
	greeting->floors[LINK_FILES] = reply->files;
	greeting->floors[LINK_INTERFACES] = reply->interfaces;
	atomic_store(&greeting->known, true);
	return 0;
}

struct wire_hello hello_of(uint64_t process, char *executable, size_t room)
{
	return (struct wire_hello){
		.tables = WIRE_TABLES,
		.process = process,
		.pid = (uint32_t)sys_getpid(),
		.parent = (uint32_t)sys_getppid(),
		.executable = { .start = executable, .length = (uint32_t)sys_executable(executable, room) },
	};
}

int hello_say(struct link *link, unsigned char *memory, uint64_t process, struct greeting *greeting)
{
	struct wire_hello hello;

	if (!memory)
		return -ENOMEM;
	/* The path at the far end, where the message does not come, and not on a thread's small stack. */
	hello = hello_of(process, (char *)memory + WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD - PATH_MAX, PATH_MAX);
	return exchange_both(link, memory, ASK_TAKE(hello, &hello, keep_greeting, greeting));
}

struct wire_run link_paths(void)
{
	struct wire_run run = { .start = atomic_load(&paths), .length = 0 };

	if (run.start)
		run.length = atomic_load(&paths_length);
	return run;
}
