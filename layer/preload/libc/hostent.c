/*
 * gethostbyname, gethostbyaddr and similar calls: the session looks the host up, and its answer becomes a
 * struct hostent here, in the caller's memory or in a static area. Called by hooks_dns.c.
 * The invariants: the caller's memory is not written past its end; numeric names stay libc's. A static result
 * lives until the next call of the same function, in a fork child too.
 */
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

#include "../../sys/sys.h"
#include "hostent.h"

/* glibc's beside those of POSIX. */
#ifndef NETDB_INTERNAL
#define NETDB_INTERNAL (-1)
#define NETDB_SUCCESS 0
#endif

/* A result of a function without _r; the bytes that the hostent points to follow. */
struct area {
	size_t size;
	struct hostent host;
	char bytes[];
};

/* The area of each function, as in libc. A thread that fills one takes it out of here meanwhile. */
static _Atomic(struct area *) areas[3];
#define AREA_BYTES 4096

/* Where a hostent is being laid out; `need` counts on when the room is used up. */
struct layout {
	char *at;
	size_t left;
	size_t need;
};

static void *reserve(struct layout *layout, size_t bytes, size_t align)
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
	char *into = reserve(layout, length + 1, 1);

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
static size_t lay_out(const struct hostent_subject *subject, const struct lookup_answer *answer, struct hostent *host, char *buffer,
		      size_t size)
{
	const size_t width = subject->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	const size_t addresses = subject->name ? answer->address_count : 1, aliases = count_aliases(answer);
	struct layout layout = { .at = buffer, .left = buffer ? size : 0 };
	char **list = reserve(&layout, (addresses + 1) * sizeof(*list), _Alignof(char *));
	char **others = reserve(&layout, (aliases + 1) * sizeof(*others), _Alignof(char *));
	char *bytes = reserve(&layout, addresses * width, _Alignof(struct in6_addr));
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
		const void *from = answer->addresses + i * WIRE_PACKED_ADDRESS_BYTES + 1;

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

int hostent_ask(const struct hostent_subject *subject, struct lookup_answer *answer)
{
	int status;

	if (!subject->name)
		return lookup_address(&subject->address, answer);
	status = lookup_host(subject->name, subject->family == AF_INET ? 4 : 6, 0, 0, answer);
	/* Addresses of another family cannot stand in one hostent. */
	for (size_t i = 0; status == 0 && i < answer->address_count; i++)
		if (lookup_family(answer->addresses + i * WIRE_PACKED_ADDRESS_BYTES) != subject->family)
			answer->ending = NO_DATA;
	return status;
}

/* An area that is large enough, taken out of its place; NULL without memory. */
static struct area *take_area(enum hostent_area which, size_t need)
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

struct hostent *hostent_static(const struct hostent_subject *subject, enum hostent_area which, int status,
			       struct lookup_answer *answer)
{
	struct area *area;
	size_t need;

	if (status < 0)
		return fail(NETDB_INTERNAL, -status);
	if (answer->ending) {
		lookup_free(answer);
		return fail(answer->ending, 0);
	}
	need = lay_out(subject, answer, NULL, NULL, 0);
	area = take_area(which, need);
	if (area)
		lay_out(subject, answer, &area->host, area->bytes, area->size);
	lookup_free(answer);
	if (!area)
		return fail(NETDB_INTERNAL, ENOMEM);
	/* Another thread's, that came between, stays where its caller reads it. */
	atomic_exchange(&areas[which], area);
	return &area->host;
}

int hostent_into(const struct hostent_subject *subject, const struct hostent_room *room, int status,
		 struct lookup_answer *answer)
{
	status = -status;
	*room->result = NULL;
	*room->h_error = NETDB_INTERNAL;
	if (status == 0 && answer->ending == 0) {
		if (lay_out(subject, answer, room->host, room->buffer, room->size) == 0)
			*room->result = room->host;
		else
			status = ERANGE;
		if (*room->result)
			*room->h_error = NETDB_SUCCESS;
	} else if (status == 0) {
		*room->h_error = answer->ending;
		if (answer->ending == TRY_AGAIN)
			status = EAGAIN;
	}
	lookup_free(answer);
	h_errno = *room->h_error; /* Python reads this one */
	if (status)
		errno = status;
	return status;
}

/* An address as text, as gethostbyname(3) takes it: libc's. So is what no host is called. */
static bool is_name(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	if (length == 0 || length > WIRE_HOST_NAME_BYTES || strchr(name, ':'))
		return false;
	return name[strspn(name, "0123456789.")] != 0 || name[length - 1] == '.';
}

bool hostent_by_name(struct hostent_subject *subject, const char *name, int family)
{
	*subject = (struct hostent_subject){ .name = name, .family = family };
	return (family == AF_INET || family == AF_INET6) && is_name(name);
}

bool hostent_by_address(struct hostent_subject *subject, const void *address, socklen_t length, int family)
{
	*subject = (struct hostent_subject){ .family = family };
	subject->address.any.sa_family = (sa_family_t)family;
	if (address && family == AF_INET && length == sizeof(struct in_addr))
		memcpy(&subject->address.v4.sin_addr, address, length);
	else if (address && family == AF_INET6 && length == sizeof(struct in6_addr))
		memcpy(&subject->address.v6.sin6_addr, address, length);
	else
		return false;
	return true;
}

void hostent_tell(const char *name, const struct hostent *host)
{
	unsigned char found[16 * WIRE_PACKED_ADDRESS_BYTES];
	size_t count = 0;

	for (; count < 16 && host->h_addr_list[count]; count++)
		lookup_pack(found + count * WIRE_PACKED_ADDRESS_BYTES, host->h_addrtype, host->h_addr_list[count]);
	lookup_tell(name, found, count);
}
