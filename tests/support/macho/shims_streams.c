/*
 * Shims of stdio: a stream begins as Darwin's does (stdio.h), for the layer looks into it, and reads and
 * writes by the functions that stand in it, where the layer put some. Behind it is a stream of glibc's.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shims.h"

struct stream {
	char head[18];
	short number; /* the descriptor */
	char middle[28];
	void *cookie;
	int (*close)(void *cookie);
	int (*read)(void *cookie, char *into, int count);
	off_t (*seek)(void *cookie, off_t offset, int whence);
	int (*write)(void *cookie, const char *from, int count);
	char tail[64];
	FILE *native;
};
_Static_assert(offsetof(struct stream, read) == 64 && offsetof(struct stream, native) == 152, "struct __sFILE");

static struct stream standard[3];
static struct stream *standard_at[3];

__attribute__((constructor)) static void begin(void)
{
	FILE *const native[] = { stdin, stdout, stderr };

	for (int i = 0; i < 3; i++) {
		standard[i].number = (short)i;
		standard[i].native = native[i];
		standard_at[i] = &standard[i];
	}
}

static ssize_t cookie_read(void *cookie, char *into, size_t count)
{
	struct stream *stream = cookie;

	return stream->read ? stream->read(stream->cookie, into, (int)count) : read(stream->number, into, count);
}

static ssize_t cookie_write(void *cookie, const char *from, size_t count)
{
	struct stream *stream = cookie;

	return stream->write ? stream->write(stream->cookie, from, (int)count) : write(stream->number, from, count);
}

static int cookie_close(void *cookie)
{
	struct stream *stream = cookie;

	return stream->close ? stream->close(stream->cookie) : close(stream->number);
}

static struct stream *shim_fdopen(int fd, const char *mode)
{
	static const cookie_io_functions_t calls = { cookie_read, cookie_write, NULL, cookie_close };
	struct stream *stream = calloc(1, sizeof(*stream));

	stream->number = (short)fd;
	stream->cookie = stream;
	stream->native = fopencookie(stream, mode, calls);
	return stream;
}

static struct stream *opened(FILE *native, const char *mode)
{
	int fd = native ? dup(fileno(native)) : -1;

	if (!native)
		return NULL;
	fclose(native);
	return shim_fdopen(fd, mode);
}

static struct stream *shim_fopen(const char *path, const char *mode)
{
	return opened(fopen(path, mode), mode);
}

static struct stream *shim_freopen(const char *path, const char *mode, struct stream *old)
{
	FILE *native = fopen(path, mode);

	if (!native)
		return NULL;
	dup2(fileno(native), old->number);
	fclose(native);
	return old;
}

static int shim_fclose(struct stream *stream)
{
	int result = fclose(stream->native);

	free(stream);
	return result;
}

static int shim_fileno(const struct stream *stream)
{
	return stream->number;
}

static char *shim_fgets(char *into, int size, struct stream *stream)
{
	return fgets(into, size, stream->native);
}

static int shim_fflush(struct stream *stream)
{
	return fflush(stream ? stream->native : NULL);
}

/* _IOFBF and its like are the same there. */
static int shim_setvbuf(struct stream *stream, char *buffer, int mode, size_t size)
{
	return setvbuf(stream->native, buffer, mode, size);
}

#if defined(__aarch64__)
/* Arguments that all lie on the stack, in glibc's form (aarch64's procedure call standard, va_list). */
static void take_stack(va_list *list, void *stack)
{
	struct {
		void *stack, *general, *vector;
		int general_left, vector_left;
	} made = { stack, NULL, NULL, 0, 0 };

	memcpy(list, &made, sizeof(made));
}

#define FROM_STACK(name, register) \
	__asm__(".text\n.global " #name "\n" #name ": mov " register ", sp\n b " #name "_at\n"); \
	void name(void)

__attribute__((used)) int shim_printf_at(const char *format, void *stack)
{
	va_list list;

	take_stack(&list, stack);
	return vprintf(format, list);
}
FROM_STACK(shim_printf, "x1");

__attribute__((used)) int shim_snprintf_at(char *into, size_t size, const char *format, void *stack)
{
	va_list list;

	take_stack(&list, stack);
	return vsnprintf(into, size, format, list);
}
FROM_STACK(shim_snprintf, "x3");

__attribute__((used)) int shim_snprintf_chk_at(char *into, size_t size, int flag, size_t room, const char *format, void *stack)
{
	va_list list;

	(void)flag;
	(void)room;
	take_stack(&list, stack);
	return vsnprintf(into, size, format, list);
}
FROM_STACK(shim_snprintf_chk, "x5");

__attribute__((used)) int shim_sscanf_at(const char *text, const char *format, void *stack)
{
	va_list list;

	take_stack(&list, stack);
	return vsscanf(text, format, list);
}
FROM_STACK(shim_sscanf, "x2");
#define VARIADIC_SHIMS \
	{ "_printf", shim_printf }, { "_snprintf", shim_snprintf }, { "___snprintf_chk", shim_snprintf_chk }, \
	{ "_sscanf", shim_sscanf },
#else
#define VARIADIC_SHIMS
#endif

const struct shim stream_shims[] = {
	VARIADIC_SHIMS { "_fdopen", shim_fdopen },
	{ "_fopen", shim_fopen },
	{ "_freopen", shim_freopen },
	{ "_fclose", shim_fclose },
	{ "_fileno", shim_fileno },
	{ "_fgets", shim_fgets },
	{ "_fflush", shim_fflush },
	{ "_setvbuf", shim_setvbuf },
	{ "___stdinp", &standard_at[0] },
	{ "___stdoutp", &standard_at[1] },
	{ "___stderrp", &standard_at[2] },
	{ NULL, NULL },
};
