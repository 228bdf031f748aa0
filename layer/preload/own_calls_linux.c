/*
 * Libraries that have a C library of their own inside, for example one that is linked statically with musl:
 * they need none, and enter the kernel by instructions in their own code. None of these calls can be hooked,
 * so they are reported to the session. For programs the session reads the file (core/session/own_calls.ts),
 * by the same rule.
 */
#include <elf.h>
#include <string.h>

#include "own_calls.h"

#define BEFORE 48 /* bytes before the instruction in which its number stands */

/* Does it have code, and need no C library? */
static bool needs_no_libc(const struct image *image)
{
	const ElfW(Phdr) *part = image_part(image, PT_DYNAMIC);
	const ElfW(Dyn) *dynamic = part ? (const void *)(image->address + part->p_vaddr) : NULL;
	const char *strings = NULL;

	for (const ElfW(Dyn) *one = dynamic; one && one->d_tag != DT_NULL; one++)
		if (one->d_tag == DT_STRTAB)
			strings = (const char *)one->d_un.d_ptr;
	/* The kernel's own object has its table where only the kernel put it. */
	if (!strings || (uintptr_t)strings < image->address)
		return false;
	for (const ElfW(Dyn) *one = dynamic; one->d_tag != DT_NULL; one++)
		if (one->d_tag == DT_NEEDED && strncmp(strings + one->d_un.d_val, "libc.so", 7) == 0)
			return false;
	return true;
}

#if defined(__x86_64__)
#define STEP 1
#define WIDTH 3 /* with the first byte behind it */
static bool is_call(const unsigned char *at)
{
	return at[0] == 0x0f && at[1] == 0x05 && at[2] != 0;
}

/* mov eax, N; or push N, pop rax. */
static int number_at(const unsigned char *at)
{
	uint32_t number;

	memcpy(&number, at + 1, sizeof(number));
	if (at[0] == 0xb8 && number < 600)
		return (int)number;
	return at[0] == 0x6a && at[2] == 0x58 ? at[1] : -1;
}

/* open, openat, openat2; socket, connect, bind. */
static const int numbers[] = { 2, 257, 437, 41, 42, 49 };
#elif defined(__aarch64__)
#define STEP 4
#define WIDTH 4
static bool is_call(const unsigned char *at)
{
	return memcmp(at, "\x01\x00\x00\xd4", 4) == 0;
}

/* mov x8, N */
static int number_at(const unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return (word & 0x7fe0001f) == 0x52800008 ? (int)((word >> 5) & 0xffff) : -1;
}

static const int numbers[] = { 56, 437, 198, 200, 203 };
#endif

/* Is the nearest number before the instruction one of those? */
static bool matters(const unsigned char *start, const unsigned char *call)
{
	for (const unsigned char *at = call - 5 + 5 % STEP; at >= start && call - at <= BEFORE; at -= STEP) {
		int number = number_at(at);

		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (number == numbers[i])
				return true;
		if (number >= 0)
			return false;
	}
	return false;
}

bool own_calls(const struct image *image)
{
	if (!image->name[0] || image_is_libc(image) || strstr(image->name, "/ld-linux") || !needs_no_libc(image))
		return false;
	for (size_t i = 0; i < image->count; i++) {
		const ElfW(Phdr) *part = &image->parts[i];
		const unsigned char *start = (const void *)(image->address + part->p_vaddr), *end = start + part->p_filesz;

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || !(part->p_flags & PF_R))
			continue;
		for (const unsigned char *at = start + 8; at + WIDTH <= end; at += STEP)
			if (is_call(at) && matters(start, at))
				return true;
	}
	return false;
}
