/*
 * The Darwin edge of the preload door: pairs of a hook and the call of libSystem that it stands for, which
 * dyld puts into every other library's calls when it loads the layer by DYLD_INSERT_LIBRARIES (dyld(1)). It
 * leaves the layer's own calls alone, so libc's own is called by its name. A call has several names: those of
 * twins_darwin.h are led to the same hook. Calls within libSystem itself are not seen. Nothing is decided
 * here.
 */
#include <copyfile.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/attr.h>
#include <sys/clonefile.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../hooks.h"
#include "lists.h"
#include "twins_darwin.h"

/* Headers lack them: fdatasync(2), xattr(2), and what other headers declare with types of their own. */
int fdatasync(int fd);
ssize_t getxattr(const char *path, const char *name, void *value, size_t size, uint32_t position, int options);
ssize_t fgetxattr(int fd, const char *name, void *value, size_t size, uint32_t position, int options);
int setxattr(const char *path, const char *name, const void *value, size_t size, uint32_t position, int options);
int fsetxattr(int fd, const char *name, const void *value, size_t size, uint32_t position, int options);
ssize_t listxattr(const char *path, char *list, size_t size, int options);
ssize_t flistxattr(int fd, char *list, size_t size, int options);
int removexattr(const char *path, const char *name, int options);
int fremovexattr(int fd, const char *name, int options);
#ifdef __x86_64__
void *fts_open(char *const *paths, int options, void *order) __asm__("_fts_open$INODE64");
#else
void *fts_open(char *const *paths, int options, void *order);
#endif

/*
 * Deprecated calls are hooked too; one that an older macOS lacks is NULL there, as a name of twins_darwin.h.
 */
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#pragma clang diagnostic ignored "-Wunguarded-availability-new"

struct pair {
	const void *hook, *call;
};

#define PAIR(hook, call) \
	__attribute__((used, section("__DATA,__interpose"))) static const struct pair pair_of_##call = { \
		(const void *)(uintptr_t)(hook), (const void *)(uintptr_t)(call) \
	};

/* By the name that the headers give it: on x86_64 they choose the call with 64-bit inode numbers. */
#define EDGE(type, name, parameters, arguments) \
	type next_##name parameters \
	{ \
		return ((type (*) parameters)(uintptr_t)name)arguments; \
	} \
	PAIR(layer_##name, name)
#define EDGES(X) \
	LAYER_SOCKET_HOOKS(X) \
	LAYER_OUTGOING_HOOKS(X) \
	LAYER_DNS_HOOKS(X) \
	LAYER_FILES_HOOKS(X) \
	LAYER_EXEC_HOOKS(X) \
	LAYER_SHELL_HOOKS(X) \
	LAYER_DARWIN_HOOKS(X)
EDGES(EDGE)

/* On arm64 what stands for the dots lies on the stack (Apple's calling convention), so these are variadic. */
int next_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static int variadic_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	va_start(list, flags);
	if (flags & O_CREAT)
		mode = (mode_t)va_arg(list, int);
	va_end(list);
	return layer_open(path, flags, mode);
}
PAIR(variadic_open, open)

int next_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return openat(dirfd, path, flags, mode);
}

static int variadic_openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list list;

	va_start(list, flags);
	if (flags & O_CREAT)
		mode = (mode_t)va_arg(list, int);
	va_end(list);
	return layer_openat(dirfd, path, flags, mode);
}
PAIR(variadic_openat, openat)

int next_fcntl(int fd, int command, long argument)
{
	return fcntl(fd, command, argument);
}

static int variadic_fcntl(int fd, int command, ...)
{
	long argument;
	va_list list;

	va_start(list, command);
	argument = va_arg(list, long);
	va_end(list);
	return layer_fcntl(fd, command, argument);
}
PAIR(variadic_fcntl, fcntl)

int next_ioctl(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument);
}

static int variadic_ioctl(int fd, unsigned long command, ...)
{
	void *argument;
	va_list list;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	return layer_ioctl(fd, command, argument);
}
PAIR(variadic_ioctl, ioctl)

#define LIST_EDGE(type, name, made) \
	static type variadic_##name(const char *path, const char *first, ...) \
	LIST_BODY(type, made) \
	PAIR(variadic_##name, name)
LAYER_LIST_HOOKS(LIST_EDGE)

/* A name may be missing in a version of macOS: dyld passes over a pair whose call is NULL. */
#define TWIN(hook, twin, symbol) \
	extern int twin(void) __asm__(symbol) __attribute__((weak_import)); \
	PAIR(hook, twin)
TWINS(TWIN)
TWINS_OF_PROCESSOR(TWIN)
