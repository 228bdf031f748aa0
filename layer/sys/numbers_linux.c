/*
 * numbers.h on Linux: the wire's numbers are x86_64's, from which aarch64 differs in four flags of open(2).
 */
#include "numbers.h"
#include "../wire.h"

/* fcntl.h defines O_LARGEFILE as 0 on 64-bit machines; these are the kernel's. */
#if defined(__aarch64__)
#define KERNEL_O_LARGEFILE 0400000u
#else
#define KERNEL_O_LARGEFILE WIRE_OPEN_LARGE_FILE
#endif

int numbers_errno(uint32_t wire)
{
	return (int)wire;
}

/* Those that machines number differently (asm/fcntl.h). */
uint32_t numbers_open(int flags)
{
	const uint32_t differing[4][2] = {
		{ O_DIRECT, WIRE_OPEN_DIRECT },
		{ KERNEL_O_LARGEFILE, WIRE_OPEN_LARGE_FILE },
		{ O_DIRECTORY, WIRE_OPEN_DIRECTORY },
		{ O_NOFOLLOW, WIRE_OPEN_NO_FOLLOW },
	};
	uint32_t from = (uint32_t)flags, result = from;

	for (int i = 0; i < 4; i++)
		result &= ~differing[i][0];
	for (int i = 0; i < 4; i++)
		if (from & differing[i][0])
			result |= differing[i][1];
	return result;
}

uint32_t numbers_at(int flags)
{
	return (uint32_t)flags;
}

uint32_t numbers_whence(int whence)
{
	return (uint32_t)whence;
}

uint64_t numbers_nanoseconds(long nanoseconds)
{
	return (uint64_t)nanoseconds;
}

/* makedev(3) of glibc */
dev_t numbers_device(uint32_t high, uint32_t low)
{
	uint64_t major = high, minor = low;

	return (major & 0xfff) << 8 | (major & ~0xfffull) << 32 | (minor & 0xff) | (minor & ~0xffull) << 12;
}

uint64_t numbers_wire_device(dev_t device)
{
	return device;
}
