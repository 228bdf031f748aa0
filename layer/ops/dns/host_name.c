/*
 * The name of the target's host, for gethostname(2) and uname(2). Asked for once in a process, since shells
 * and loggers ask often. Called by preload/hooks_dns.c.
 */
#include <stdatomic.h>
#include <string.h>

#include "host_name.h"
#include "lookup.h"

enum { UNKNOWN, WRITING, LOCAL, REMOTE };

static _Atomic(int) state;
static char known[HOST_NAME_BYTES + 1];

bool host_name_known(char *name, struct verdict *verdict)
{
	int now = atomic_load(&state);

	if (now == REMOTE)
		memcpy(name, known, HOST_NAME_BYTES + 1);
	*verdict = now == REMOTE ? verdict_result(0) : verdict_libc();
	return now == REMOTE || now == LOCAL;
}

/*
 * The first one to know writes it down; a name too long for uname(2) is cut as the kernel would have refused
 * it.
 */
struct verdict host_name_ask(char *name)
{
	struct lookup_answer answer;
	int status = lookup_own_name(&answer), before = UNKNOWN;
	size_t length;

	if (status < 0)
		return verdict_result(status);
	status = answer.local ? LOCAL : REMOTE;
	length = answer.name_length < HOST_NAME_BYTES ? answer.name_length : HOST_NAME_BYTES;
	memset(name, 0, HOST_NAME_BYTES + 1);
	if (!answer.local)
		memcpy(name, answer.name, length);
	lookup_free(&answer);
	if (atomic_compare_exchange_strong(&state, &before, WRITING)) {
		memcpy(known, name, HOST_NAME_BYTES + 1);
		atomic_store(&state, status);
	}
	return status == LOCAL ? verdict_libc() : verdict_result(0);
}
