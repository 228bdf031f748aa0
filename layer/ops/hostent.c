/*
 * gethostbyname, gethostbyaddr and their kin: the session looks the host up, here its answer becomes a struct hostent,
 * in the caller's memory or in a static area. Called by preload/.
 * The invariants: what the caller lent is not written past its end; numeric names stay libc's. A static result lives
 * until the next call of the same function, in a fork child too.
 */
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "lookup.h"

/* A result of a function without _r; the bytes that the hostent points to follow. */
struct area {
	size_t size;
	struct hostent host;
	char bytes[];
};

/* The area of each function, as in libc. Who fills one takes it out of here meanwhile. */
static _Atomic(struct area *) areas[3];
enum { AREA_BY_NAME, AREA_BY_NAME2, AREA_BY_ADDRESS };
#define AREA_BYTES 4096

/* What is looked up: a name, or the names of an address. */
struct subject {
	const char *name;
	union name address;
	int family;
};

/* Where a hostent is being laid out; `need` counts on when the room is used up. */
struct layout {
	char *at;
	size_t left;
	size_t need;
};

static void *room(struct layout *layout, size_t bytes, size_t align)
{
	size_t gap = layout->at ? (size_t)(-(uintptr_t)layout->at & (align - 1)) : align - 1;
	char *at = layout->at + gap;

	layout->need += gap + bytes;
	if (!layout->at || gap > layout->left || bytes > layout->left - gap) {
		layout->at = NULL;
		return NULL;
	}
	layout->at = at + bytes;
	layout->left -= gap + bytes;
	return at;
}

static char *text(struct layout *layout, const char *from, size_t length)
{
	char *into = room(layout, length + 1, 1);

	if (into) {
		memcpy(into, from, length);
		into[length] = 0;
	}
	return into;
}

static size_t count_aliases(const struct lookup_answer *answer)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->aliases_length; i++)
		count += answer->aliases[i] == 0;
	return count;
}

/* Lays the answer out for `subject`. Returns 0, or how many bytes it would have taken. */
static size_t lay_out(const struct subject *subject, const struct lookup_answer *answer, struct hostent *host, char *buffer,
		      size_t size)
{
	const size_t width = subject->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	const size_t addresses = subject->name ? answer->address_count : 1, aliases = count_aliases(answer);
	struct layout layout = { .at = buffer, .left = buffer ? size : 0 };
	char **list = room(&layout, (addresses + 1) * sizeof(*list), _Alignof(char *));
	char **others = room(&layout, (aliases + 1) * sizeof(*others), _Alignof(char *));
	char *bytes = room(&layout, addresses * width, _Alignof(struct in6_addr));
	const char *alias = answer->aliases;
	char *name = text(&layout, answer->name, answer->name_length);

	for (size_t i = 0; i < aliases; i++, alias += strlen(alias) + 1) {
		char *copy = text(&layout, alias, strlen(alias));

		if (others)
			others[i] = copy;
	}
	if (!layout.at)
		return layout.need;
	for (size_t i = 0; i < addresses; i++) {
		const void *from = answer->addresses + i * LOOKUP_ADDRESS_BYTES + 1;

		if (!subject->name)
			from = subject->family == AF_INET ? (const void *)&subject->address.v4.sin_addr :
							    &subject->address.v6.sin6_addr;
		list[i] = memcpy(bytes + i * width, from, width);
	}
	list[addresses] = NULL;
	others[aliases] = NULL;
	*host = (struct hostent){
		.h_name = name,
		.h_aliases = others,
		.h_addrtype = subject->family,
		.h_length = (int)width,
		.h_addr_list = list,
	};
	return 0;
}

static int ask(const struct subject *subject, struct lookup_answer *answer)
{
	int status;

	if (!subject->name)
		return lookup_address(&subject->address, answer);
	status = lookup_host(subject->name, subject->family == AF_INET ? 4 : 6, 0, 0, answer);
	/* Addresses of another family cannot stand in one hostent. */
	for (size_t i = 0; status == 0 && i < answer->address_count; i++)
		if (lookup_family(answer->addresses + i * LOOKUP_ADDRESS_BYTES) != subject->family)
			answer->ending = NO_DATA;
	return status;
}

/* An area that is large enough, taken out of its place; NULL without memory. */
static struct area *take_area(int which, size_t need)
{
	struct area *area = atomic_exchange(&areas[which], NULL);
	size_t size = AREA_BYTES;

	if (area && area->size >= need)
		return area;
	if (area)
		sys_unmap(area, sizeof(*area) + area->size);
	while (size < sizeof(*area) + need)
		size *= 2;
	area = sys_map(size, false);
	if (area)
		area->size = size - sizeof(*area);
	return area;
}

static struct hostent *fail(int h_error, int error)
{
	h_errno = h_error;
	if (error)
		errno = error;
	return NULL;
}

/* A call without _r. `local` says that libc has to answer. */
static struct hostent *answer_static(const struct subject *subject, int which, bool *local)
{
	struct lookup_answer answer;
	struct area *area;
	size_t need;
	int saved, status;

	if (!guard_enter(&saved)) {
		*local = true;
		return NULL;
	}
	status = ask(subject, &answer);
	guard_leave(saved, 0);
	if (status < 0)
		return fail(NETDB_INTERNAL, -status);
	*local = answer.local;
	if (answer.local || answer.ending) {
		lookup_free(&answer);
		return fail(answer.ending, 0);
	}
	need = lay_out(subject, &answer, NULL, NULL, 0);
	area = take_area(which, need);
	if (area)
		lay_out(subject, &answer, &area->host, area->bytes, area->size);
	lookup_free(&answer);
	if (!area)
		return fail(NETDB_INTERNAL, ENOMEM);
	/* Another thread's, that came between, stays where its caller reads it. */
	atomic_exchange(&areas[which], area);
	return &area->host;
}

/* A call with _r; returns what it returns. `local` says that libc has to answer. */
static int answer_into(const struct subject *subject, struct hostent *host, char *buffer, size_t size,
		       struct hostent **result, int *h_error, bool *local)
{
	struct lookup_answer answer;
	int saved, status;

	if (!guard_enter(&saved)) {
		*local = true;
		return 0;
	}
	status = -ask(subject, &answer);
	guard_leave(saved, 0);
	*local = status == 0 && answer.local;
	if (*local) {
		lookup_free(&answer);
		return 0;
	}
	*result = NULL;
	*h_error = NETDB_INTERNAL;
	if (status == 0 && answer.ending == 0) {
		if (lay_out(subject, &answer, host, buffer, size) == 0)
			*result = host;
		else
			status = ERANGE;
		if (*result)
			*h_error = NETDB_SUCCESS;
	} else if (status == 0) {
		*h_error = answer.ending;
		if (answer.ending == TRY_AGAIN)
			status = EAGAIN;
	}
	lookup_free(&answer);
	h_errno = *h_error; /* Python reads this one */
	if (status)
		errno = status;
	return status;
}

/* An address as text, as gethostbyname(3) takes it: libc's. So is what no host is called. */
static bool is_name(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (length == 0 || length > LOOKUP_NAME_BYTES || strchr(name, ':'))
		return false;
	return name[strspn(name, "0123456789.")] != 0 || name[length - 1] == '.';
}

static bool by_name(struct subject *subject, const char *name, int family)
{
	*subject = (struct subject){ .name = name, .family = family };
	return (family == AF_INET || family == AF_INET6) && is_name(name);
}

static bool by_address(struct subject *subject, const void *address, socklen_t length, int family)
{
	*subject = (struct subject){ .family = family };
	subject->address.any.sa_family = (sa_family_t)family;
	if (address && family == AF_INET && length == sizeof(struct in_addr))
		memcpy(&subject->address.v4.sin_addr, address, length);
	else if (address && family == AF_INET6 && length == sizeof(struct in6_addr))
		memcpy(&subject->address.v6.sin6_addr, address, length);
	else
		return false;
	return true;
}

/* Rules over names learn what libc found for a local one. */
static struct hostent *told(const char *name, struct hostent *host)
{
	unsigned char found[16 * LOOKUP_ADDRESS_BYTES];
	size_t count = 0;
	int saved;

	if (!host || !name || strlen(name) > LOOKUP_NAME_BYTES || !guard_enter(&saved))
		return host;
	for (; count < 16 && host->h_addr_list[count]; count++)
		lookup_pack(found + count * LOOKUP_ADDRESS_BYTES, host->h_addrtype, host->h_addr_list[count]);
	lookup_tell(name, found, count);
	guard_leave(saved, 0);
	return host;
}

struct hostent *layer_gethostbyname(const char *name)
{
	struct subject subject;
	struct hostent *host = NULL;
	bool local = !by_name(&subject, name, AF_INET);

	if (local)
		return next_gethostbyname(name);
	host = answer_static(&subject, AREA_BY_NAME, &local);
	return local ? told(name, next_gethostbyname(name)) : host;
}

struct hostent *layer_gethostbyname2(const char *name, int family)
{
	struct subject subject;
	struct hostent *host = NULL;
	bool local = !by_name(&subject, name, family);

	if (local)
		return next_gethostbyname2(name, family);
	host = answer_static(&subject, AREA_BY_NAME2, &local);
	return local ? told(name, next_gethostbyname2(name, family)) : host;
}

struct hostent *layer_gethostbyaddr(const void *address, socklen_t length, int family)
{
	struct subject subject;
	struct hostent *host = NULL;
	bool local = !by_address(&subject, address, length, family);

	if (!local)
		host = answer_static(&subject, AREA_BY_ADDRESS, &local);
	return local ? next_gethostbyaddr(address, length, family) : host;
}

int layer_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t size, struct hostent **result,
			  int *h_error)
{
	struct subject subject;
	bool local = !by_name(&subject, name, AF_INET);
	int status = local ? 0 : answer_into(&subject, host, buffer, size, result, h_error, &local);

	if (!local)
		return status;
	status = next_gethostbyname_r(name, host, buffer, size, result, h_error);
	if (status == 0)
		told(name, *result);
	return status;
}

int layer_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer, size_t size,
			   struct hostent **result, int *h_error)
{
	struct subject subject;
	bool local = !by_name(&subject, name, family);
	int status = local ? 0 : answer_into(&subject, host, buffer, size, result, h_error, &local);

	if (!local)
		return status;
	status = next_gethostbyname2_r(name, family, host, buffer, size, result, h_error);
	if (status == 0)
		told(name, *result);
	return status;
}

int layer_gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *host, char *buffer,
			  size_t size, struct hostent **result, int *h_error)
{
	struct subject subject;
	bool local = !by_address(&subject, address, length, family);
	int status = local ? 0 : answer_into(&subject, host, buffer, size, result, h_error, &local);

	return local ? next_gethostbyaddr_r(address, length, family, host, buffer, size, result, h_error) : status;
}
