/*
 * A preloaded library that stands between the layer and libc, as allocators and tools do: it has connect
 * itself, counts the calls, and passes each on to libc's own, found by BETWEEN=next, handle or version, or to
 * the kernel (number). See tests/layer/late_test.ts.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int (*connect_call)(int, const struct sockaddr *, socklen_t);

static int calls;

static int by_number(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)syscall(SYS_connect, fd, address, length);
}

static connect_call own(void)
{
	const char *way = getenv("BETWEEN"), *version = "GLIBC_2.2.5";

#ifdef __aarch64__
	version = "GLIBC_2.17";
#endif
	if (way && strcmp(way, "handle") == 0)
		return (connect_call)dlsym(dlopen("libc.so.6", RTLD_NOW), "connect");
	if (way && strcmp(way, "version") == 0)
		return (connect_call)dlvsym(RTLD_NEXT, "connect", version);
	if (way && strcmp(way, "number") == 0)
		return by_number;
	return (connect_call)dlsym(RTLD_NEXT, "connect");
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (address->sa_family == AF_INET)
		calls++;
	return own()(fd, address, length);
}

__attribute__((destructor)) static void ended(void)
{
	printf("between: %d\n", calls);
}
