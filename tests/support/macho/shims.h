/*
 * What the loader binds the names of libSystem to where glibc's call of that name differs: other numbers,
 * other structures. The calls get and give what Darwin's do. errno has a place of its own (shims_process.c).
 */
#ifndef MACHO_SHIMS_H
#define MACHO_SHIMS_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct shim {
	const char *name; /* with the first underline; ends a table where NULL */
	void *call;
};

extern const struct shim file_shims[], socket_shims[], name_shims[], process_shims[], stream_shims[];

/*
 * Path of the program that is run, and the command that runs such, in words; what a name means to it; the
 * file that an address was loaded from, or NULL.
 */
extern const char *macho_program, *macho_run;
void *macho_symbol(const char *name);
const char *macho_image_at(const void *address);

/* Of Darwin's errno, by Linux's. */
int macho_errno(int error);
/* Darwin's struct timeval has 32 bits of microseconds. */
struct darwin_timeval {
	int64_t seconds;
	int32_t microseconds, unused;
};

/*
 * On arm64 Apple passes what stands for dots on the stack, each in eight bytes. VARIADIC(name, named) makes
 * `name` hand the first of them on as an ordinary argument of name_plain.
 */
#if defined(__aarch64__)
#define VARIADIC(name, after) \
	__asm__(".text\n.global " #name "\n" #name ": ldr " after ", [sp]\n b " #name "_plain\n"); \
	void name(void)
#else
#define VARIADIC(name, after) \
	__asm__(".text\n.global " #name "\n" #name ": jmp " #name "_plain\n"); \
	void name(void)
#endif

#endif
