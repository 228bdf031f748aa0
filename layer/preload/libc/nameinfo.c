/*
 * getnameinfo: the host's name is looked up by the session; the service, the numeric text and complaints of
 * the call stay libc's. An address with an interface is named after the target's interface. Called by
 * hooks_dns.c.
 */
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "../../hooks.h"
#include "../../ops/dns/lookup.h"
#include "../hooks_sockets_interfaces.h"
#include "nameinfo.h"

/* getnameinfo's host part: the text to give, or EAI_*. */
static int host_text(const union name *address, int flags, struct lookup_answer *answer, int *error)
{
	int status = lookup_address(address, answer);

	if (status < 0) {
		*error = -status;
		return EAI_SYSTEM;
	}
	if (answer->local || answer->ending == 0)
		return 0;
	lookup_free(answer);
	if (answer->ending == TRY_AGAIN)
		return EAI_AGAIN;
	if (flags & NI_NAMEREQD)
		return EAI_NONAME;
	answer->name = NULL;
	return 0;
}

static int copy_text(char *into, size_t room, const char *text, size_t length)
{
	if (length >= room)
		return EAI_OVERFLOW;
	memcpy(into, text, length);
	into[length] = 0;
	return 0;
}

#ifdef __linux__
/* An address that means something with its interface only, which libc names after this machine's. */
static bool has_scope(const struct sockaddr *address, socklen_t length)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	return address && length >= sizeof(*v6) && v6->sin6_family == AF_INET6 && v6->sin6_scope_id != 0 &&
	       (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&v6->sin6_addr));
}

static void number_text(unsigned int number, char *into)
{
	unsigned int unit = 1;

	while (number / unit >= 10)
		unit *= 10;
	for (; unit > 0; unit /= 10)
		*into++ = (char)('0' + number / unit % 10);
	*into = 0;
}

bool nameinfo_is_scoped(const struct nameinfo_call *call)
{
	return call->host && call->host_length > 0 && has_scope(call->address, call->length) && interface_list_is_remote();
}

/*
 * The text of the address without its interface, and the interface's name behind it where that is no host's
 * name.
 */
int nameinfo_scoped(const struct nameinfo_call *call)
{
	struct sockaddr_in6 bare = *(const struct sockaddr_in6 *)call->address;
	unsigned int index = bare.sin6_scope_id;
	char scope[IF_NAMESIZE + 1] = "%";
	int status;

	bare.sin6_scope_id = 0;
	status = layer_getnameinfo((struct sockaddr *)&bare, sizeof(bare), call->host, call->host_length, call->service,
				   call->service_length, call->flags);
	if (status != 0 || !strchr(call->host, ':'))
		return status;
	if (!layer_if_indextoname(index, scope + 1))
		number_text(index, scope + 1);
	if (strlen(call->host) + strlen(scope) >= call->host_length)
		return EAI_OVERFLOW;
	strcat(call->host, scope);
	return 0;
}
#else
/* Interfaces are this machine's there. */
bool nameinfo_is_scoped(const struct nameinfo_call *call)
{
	(void)call;
	return false;
}

int nameinfo_scoped(const struct nameinfo_call *call)
{
	(void)call;
	return EAI_NONAME;
}
#endif

bool nameinfo_asks(const struct nameinfo_call *call)
{
	union name name;

	return call->host && call->host_length > 0 && !(call->flags & NI_NUMERICHOST) &&
	       address_read(&name, call->address, call->length);
}

int nameinfo_answer(const struct nameinfo_call *call, int *error)
{
	const int numeric_flags = (call->flags & ~NI_NAMEREQD) | NI_NUMERICHOST;
	struct lookup_answer answer;
	char numeric[INET6_ADDRSTRLEN + 64];
	union name name;
	int status;

	address_read(&name, call->address, call->length);
	/* The service, the numeric text, and whatever libc has against the call. */
	status = next_getnameinfo(call->address, call->length, numeric, sizeof(numeric), call->service, call->service_length,
				  numeric_flags);
	if (status != 0)
		return status;
	status = host_text(&name, call->flags, &answer, error);
	if (status != 0)
		return status;
	if (answer.local)
		status = next_getnameinfo(call->address, call->length, call->host, call->host_length, call->service,
					  call->service_length, call->flags);
	else if (answer.name)
		status = copy_text(call->host, call->host_length, answer.name, answer.name_length);
	else
		status = copy_text(call->host, call->host_length, numeric, strlen(numeric));
	lookup_free(&answer);
	return status;
}
