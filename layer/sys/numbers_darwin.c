/*
 * numbers.h on Darwin, whose numbers are BSD's (sys/errno.h, sys/fcntl.h) where the wire has Linux's
 * (asm-generic/errno.h, asm-generic/fcntl.h of its kernel). Pure.
 */
#include <errno.h>
#include <unistd.h>

#include "numbers.h"
#include "../wire.h"

/* Linux's errnos from 35 on, in their order; below, the two differ in one. 0: Darwin has none like it. */
static const uint8_t errnos[] = {
	EDEADLK, ENAMETOOLONG, ENOLCK, ENOSYS, ENOTEMPTY, ELOOP, 0, ENOMSG, EIDRM, 0, /* 35 to 44 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* to 54 */
	0, 0, 0, 0, 0, ENOSTR, ENODATA, ETIME, ENOSR, 0, /* to 64 */
	0, EREMOTE, ENOLINK, 0, 0, 0, EPROTO, EMULTIHOP, 0, EBADMSG, /* to 74 */
	EOVERFLOW, 0, 0, 0, 0, 0, 0, 0, 0, EILSEQ, /* to 84 */
	0, 0, EUSERS, ENOTSOCK, EDESTADDRREQ, EMSGSIZE, EPROTOTYPE, ENOPROTOOPT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, /* to 94 */
	ENOTSUP, EPFNOSUPPORT, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ENETRESET, ECONNABORTED, ECONNRESET, /* to 104 */
	ENOBUFS, EISCONN, ENOTCONN, ESHUTDOWN, ETOOMANYREFS, ETIMEDOUT, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH, EALREADY, /* to 114 */
	EINPROGRESS, ESTALE, 0, 0, 0, 0, 0, EDQUOT, 0, 0, /* to 124 */
	ECANCELED, 0, 0, 0, 0, EOWNERDEAD, ENOTRECOVERABLE, /* to 131 */
};

#define FIRST 35u
#define LINUX_EAGAIN 11u

int numbers_errno(uint32_t wire)
{
	if (wire == LINUX_EAGAIN)
		return EAGAIN;
	if (wire < FIRST)
		return (int)wire;
	if (wire - FIRST >= sizeof(errnos) || errnos[wire - FIRST] == 0)
		return EIO;
	return errnos[wire - FIRST];
}

struct pair {
	uint32_t own, wire;
};

static uint32_t translate(uint32_t flags, const struct pair *pairs, size_t count)
{
	uint32_t result = 0;

	for (size_t i = 0; i < count; i++)
		if ((flags & pairs[i].own) == pairs[i].own)
			result |= pairs[i].wire;
	return result;
}

#define TRANSLATE(flags, pairs) translate((uint32_t)(flags), pairs, sizeof(pairs) / sizeof((pairs)[0]))

/* What is not here is no wish that another machine could grant: locks at open, events only, encryption. */
uint32_t numbers_open(int flags)
{
	static const struct pair pairs[] = {
		{ O_CREAT, 0100 },	   { O_EXCL, 0200 },
		{ O_NOCTTY, 0400 },	   { O_TRUNC, 01000 },
		{ O_APPEND, 02000 },	   { O_NONBLOCK, 04000 },
		{ O_DSYNC, 010000 },	   { O_SYNC, 04010000 },
		{ O_CLOEXEC, 02000000 },   { O_DIRECTORY, WIRE_OPEN_DIRECTORY },
		{ O_NOFOLLOW, WIRE_OPEN_NO_FOLLOW }, { O_NOFOLLOW_ANY, WIRE_OPEN_NO_FOLLOW },
	};
	uint32_t result = ((uint32_t)flags & O_ACCMODE) | TRANSLATE(flags, pairs);

	/* A link itself is opened (open(2) of Darwin): O_PATH and O_NOFOLLOW. */
	return flags & O_SYMLINK ? result | 010000000 | WIRE_OPEN_NO_FOLLOW : result;
}

uint32_t numbers_at(int flags)
{
	static const struct pair pairs[] = {
		{ AT_SYMLINK_NOFOLLOW, 0x100 },
		{ AT_SYMLINK_FOLLOW, 0x400 },
		{ AT_REMOVEDIR, 0x200 },
		{ AT_EACCESS, 0x200 },
	};

	return TRANSLATE(flags, pairs);
}

uint32_t numbers_whence(int whence)
{
	return whence == SEEK_HOLE ? 4 : whence == SEEK_DATA ? 3 : (uint32_t)whence;
}

uint64_t numbers_nanoseconds(long nanoseconds)
{
	return nanoseconds == UTIME_NOW ? (1u << 30) - 1 : nanoseconds == UTIME_OMIT ? (1u << 30) - 2 : (uint64_t)nanoseconds;
}

/* makedev(3) of Darwin: eight bits and 24. */
dev_t numbers_device(uint32_t high, uint32_t low)
{
	return (dev_t)(high << 24 | (low & 0xffffff));
}

uint64_t numbers_wire_device(dev_t device)
{
	uint64_t major = (uint32_t)device >> 24, minor = (uint32_t)device & 0xffffff;

	return major << 8 | (minor & 0xff) | (minor & ~0xffull) << 12;
}
