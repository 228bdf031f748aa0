/*
 * gethostname and uname: the name of the target's host, which is a pod's own name. Called by preload/. Asked for once in
 * a process, for shells and loggers ask often. The other fields of uname(2) stay this machine's: they are about the
 * kernel that the app really runs on.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "../guard.h"
#include "../hooks.h"
#include "lookup.h"

/* Without its zero (uname(2)). */
#define NAME_BYTES (sizeof(((struct utsname *)0)->nodename) - 1)

enum { UNKNOWN, WRITING, LOCAL, REMOTE };

static _Atomic(int) state;
static char known[NAME_BYTES + 1];

/* The first one to know writes it down; a name too long for uname(2) is cut as the kernel would have refused it. */
static int learn(char *name)
{
	struct lookup_answer answer;
	int status = lookup_own_name(&answer), before = UNKNOWN;
	size_t length;

	if (status < 0)
		return status;
	status = answer.local ? LOCAL : REMOTE;
	length = answer.name_length < NAME_BYTES ? answer.name_length : NAME_BYTES;
	memset(name, 0, NAME_BYTES + 1);
	memcpy(name, answer.name, answer.local ? 0 : length);
	lookup_free(&answer);
	if (atomic_compare_exchange_strong(&state, &before, WRITING)) {
		memcpy(known, name, NAME_BYTES + 1);
		atomic_store(&state, status);
	}
	return status;
}

/* Copies the name. LOCAL, REMOTE or -errno. */
static int own_name(char *name)
{
	int now = atomic_load(&state), saved;

	if (now == REMOTE)
		memcpy(name, known, NAME_BYTES + 1);
	if (now == REMOTE || now == LOCAL)
		return now;
	if (!guard_enter(&saved))
		return LOCAL;
	now = learn(name);
	guard_leave(saved, 0);
	return now;
}

static int give(char *into, size_t room, const char *name)
{
	size_t length = strlen(name) + 1;

	memcpy(into, name, length < room ? length : room);
	if (length <= room)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int layer_gethostname(char *into, size_t room)
{
	char name[NAME_BYTES + 1];
	int status = into ? own_name(name) : LOCAL;

	if (status == LOCAL)
		return next_gethostname(into, room);
	if (status == REMOTE)
		return give(into, room, name);
	errno = -status;
	return -1;
}

/* What a fortified program calls (_FORTIFY_SOURCE); libc ends one that says more than it has. */
int layer___gethostname_chk(char *into, size_t room, size_t size)
{
	return room > size ? next___gethostname_chk(into, room, size) : layer_gethostname(into, room);
}

int layer_uname(struct utsname *names)
{
	char name[NAME_BYTES + 1];
	int status = next_uname(names);

	if (status < 0)
		return status;
	status = own_name(name);
	if (status == REMOTE)
		memcpy(names->nodename, name, sizeof(name));
	if (status >= 0)
		return 0;
	errno = -status;
	return -1;
}
