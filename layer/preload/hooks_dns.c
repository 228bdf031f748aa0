/*
 * The edges of the calls about hosts: guard, operation, and the result in the form of that call. Called by
 * preload/. A host that is local is looked up by libc, outside of the guard except in getaddrinfo and
 * getnameinfo.
 */
#include <netdb.h>
#include <string.h>

#include "../hooks.h"
#include "../ops/dns/host_name.h"
#include "guard.h"
#include "libc/addrinfo.h"
#include "libc/hostent.h"
#include "libc/nameinfo.h"

/* Leaves the guard; EAI_SYSTEM comes with an errno. */
static int leave(int saved, int status, int error)
{
	guard_leave(saved, 0);
	if (status == EAI_SYSTEM && error)
		errno = error;
	return status;
}

int layer_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	const struct addrinfo_call call = { .node = node, .service = service, .hints = hints, .result = result };
	int saved, status, error = 0;

	if (!addrinfo_asks(&call) || !guard_enter(&saved))
		return next_getaddrinfo(node, service, hints, result);
	status = addrinfo_answer(&call, &error);
	return leave(saved, status, error);
}

int layer_getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length,
		      char *service, socklen_t service_length, int flags)
{
	const struct nameinfo_call call = { .address = address, .length = length, .host = host, .host_length = host_length,
					    .service = service, .service_length = service_length, .flags = flags };
	int saved, status, error = 0;

	if (nameinfo_is_scoped(&call))
		return nameinfo_scoped(&call);
	if (!nameinfo_asks(&call) || !guard_enter(&saved))
		return next_getnameinfo(address, length, host, host_length, service, service_length, flags);
	status = nameinfo_answer(&call, &error);
	return leave(saved, status, error);
}

/* True: *status is what the session made of it. False: libc's turn. */
static bool asked(const struct hostent_subject *subject, struct lookup_answer *answer, int *status)
{
	int saved;

	if (!guard_enter(&saved))
		return false;
	*status = hostent_ask(subject, answer);
	guard_leave(saved, 0);
	if (*status < 0 || !answer->local)
		return true;
	lookup_free(answer);
	return false;
}

/* Rules over names learn what libc found for a local one. */
static struct hostent *told(const char *name, struct hostent *host)
{
	int saved;

	if (!host || !name || strlen(name) > WIRE_HOST_NAME_BYTES || !guard_enter(&saved))
		return host;
	hostent_tell(name, host);
	guard_leave(saved, 0);
	return host;
}

struct hostent *layer_gethostbyname(const char *name)
{
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (!hostent_by_name(&subject, name, AF_INET))
		return next_gethostbyname(name);
	if (asked(&subject, &answer, &status))
		return hostent_static(&subject, HOSTENT_BY_NAME, status, &answer);
	return told(name, next_gethostbyname(name));
}

struct hostent *layer_gethostbyname2(const char *name, int family)
{
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (!hostent_by_name(&subject, name, family))
		return next_gethostbyname2(name, family);
	if (asked(&subject, &answer, &status))
		return hostent_static(&subject, HOSTENT_BY_NAME2, status, &answer);
	return told(name, next_gethostbyname2(name, family));
}

struct hostent *layer_gethostbyaddr(const void *address, socklen_t length, int family)
{
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (hostent_by_address(&subject, address, length, family) && asked(&subject, &answer, &status))
		return hostent_static(&subject, HOSTENT_BY_ADDRESS, status, &answer);
	return next_gethostbyaddr(address, length, family);
}

#ifdef __linux__
int layer_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
			   struct hostent **result, int *h_error)
{
	const struct hostent_room room = { .host = host, .buffer = buffer, .size = size, .result = result, .h_error = h_error };
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (hostent_by_name(&subject, name, family) && asked(&subject, &answer, &status))
		return hostent_into(&subject, &room, status, &answer);
	status = next_gethostbyname2_r(name, family, host, buffer, size, result, h_error);
	if (status == 0)
		told(name, *result);
	return status;
}

int layer_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t size, struct hostent **result,
			  int *h_error)
{
	const struct hostent_room room = { .host = host, .buffer = buffer, .size = size, .result = result, .h_error = h_error };
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (hostent_by_name(&subject, name, AF_INET) && asked(&subject, &answer, &status))
		return hostent_into(&subject, &room, status, &answer);
	status = next_gethostbyname_r(name, host, buffer, size, result, h_error);
	if (status == 0)
		told(name, *result);
	return status;
}

int layer_gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *host, char *buffer,
			  size_t size, struct hostent **result, int *h_error)
{
	const struct hostent_room room = { .host = host, .buffer = buffer, .size = size, .result = result, .h_error = h_error };
	struct hostent_subject subject;
	struct lookup_answer answer;
	int status;

	if (hostent_by_address(&subject, address, length, family) && asked(&subject, &answer, &status))
		return hostent_into(&subject, &room, status, &answer);
	return next_gethostbyaddr_r(address, length, family, host, buffer, size, result, h_error);
}
#endif

/* A known name is given within the guard too: to a handler that interrupts an operation. */
static struct verdict own_name(char *name)
{
	struct verdict verdict;
	int saved;

	if (host_name_known(name, &verdict) || !guard_enter(&saved))
		return verdict;
	verdict = host_name_ask(name);
	guard_leave(saved, 0);
	return verdict;
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
	char name[HOST_NAME_BYTES + 1];
	struct verdict verdict = into ? own_name(name) : verdict_libc();

	if (verdict.kind == VERDICT_LIBC)
		return next_gethostname(into, room);
	if (verdict.kind == VERDICT_VALUE)
		return give(into, room, name);
	errno = (int)verdict.value;
	return -1;
}

/* The other fields stay this machine's: they are about the kernel that the app really runs on. */
int layer_uname(struct utsname *names)
{
	char name[HOST_NAME_BYTES + 1];
	struct verdict verdict;
	int status = next_uname(names);

	if (status < 0)
		return status;
	verdict = own_name(name);
	if (verdict.kind == VERDICT_VALUE)
		memcpy(names->nodename, name, sizeof(name));
	if (verdict.kind != VERDICT_ERROR)
		return 0;
	errno = (int)verdict.value;
	return -1;
}
