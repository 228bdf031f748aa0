/*
 * A library that dials when it is loaded (LATE_AT_LOAD=HOST:PORT), and when it is told to, by three ways. See
 * late.c.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int (*connect_call)(int, const struct sockaddr *, socklen_t);

int late_at_load;

const char *late_name(void)
{
	return "the library";
}

const char *late_asked(void)
{
	return late_name();
}

static int dial_by(connect_call call, const char *host, int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), result;

	inet_pton(AF_INET, host, &name.sin_addr);
	result = call(fd, (void *)&name, sizeof(name)) == 0 ? 0 : errno;
	close(fd);
	return result;
}

int late_dial(const char *host, int port)
{
	return dial_by(connect, host, port);
}

int late_dial_next(const char *host, int port)
{
	return dial_by((connect_call)dlsym(RTLD_NEXT, "connect"), host, port);
}

int late_dial_handle(const char *host, int port)
{
	return dial_by((connect_call)dlsym(dlopen("libc.so.6", RTLD_NOW), "connect"), host, port);
}

__attribute__((constructor)) static void loaded(void)
{
	char host[64] = "";
	const char *where = getenv("LATE_AT_LOAD"), *colon = where ? strchr(where, ':') : NULL;

	if (!colon || (size_t)(colon - where) >= sizeof(host))
		return;
	memcpy(host, where, (size_t)(colon - where));
	late_at_load = late_dial(host, atoi(colon + 1));
}
