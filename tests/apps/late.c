/*
 * An app that dials HOST PORT by a call of libc that it gets at past the order of symbols, and prints the
 * errno's name, or 0: late WAY HOST PORT [LIBRARY]. tests/layer/late_test.ts runs it; LIBRARY is
 * tests/apps/late_library.c.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int (*connect_call)(int, const struct sockaddr *, socklen_t);
typedef int (*dial_call)(const char *, int);
typedef const char *(*name_call)(void);

/* The library has one too: which one is called shows the order of symbols. */
const char *late_name(void)
{
	return "the program";
}

static void *need(void *found)
{
	if (!found) {
		printf("%s\n", dlerror());
		exit(1);
	}
	return found;
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

static const char *told(int result)
{
	return result == 0 ? "0" : strerrorname_np(result);
}

static void *open_library(const char *way, const char *library)
{
	if (strcmp(way, "deepbind") == 0)
		return dlopen(library, RTLD_NOW | RTLD_DEEPBIND);
	if (strcmp(way, "deepbind-lazy") == 0)
		return dlopen(library, RTLD_LAZY | RTLD_DEEPBIND);
	if (strcmp(way, "apart") == 0)
		return dlmopen(LM_ID_NEWLM, library, RTLD_NOW);
	if (strcmp(way, "apart-again") == 0) {
		need(dlopen(library, RTLD_NOW));
		return dlmopen(LM_ID_NEWLM, library, RTLD_NOW);
	}
	return dlopen(library, RTLD_NOW);
}

int main(int argc, char **argv)
{
	const char *way = argv[1], *host = argv[2], *version = "GLIBC_2.2.5";
	int port = atoi(argv[3]);
	void *library;

#ifdef __aarch64__
	version = "GLIBC_2.17";
#endif
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 5) {
		library = need(dlopen("libc.so.6", RTLD_NOW));
		if (strcmp(way, "handle") == 0)
			printf("%s\n", told(dial_by((connect_call)need(dlsym(library, "connect")), host, port)));
		if (strcmp(way, "version") == 0)
			printf("%s\n", told(dial_by((connect_call)need(dlvsym(library, "connect", version)), host, port)));
		if (strcmp(way, "default-version") == 0)
			printf("%s\n", told(dial_by((connect_call)need(dlvsym(RTLD_DEFAULT, "connect", version)), host, port)));
		if (strcmp(way, "nothing") == 0) {
			printf("%d ", dlsym(library, "no_such_call") != NULL);
			printf("%d\n", dlerror() != NULL);
		}
		if (strcmp(way, "direct") == 0)
			printf("%s\n", told(dial_by(connect, host, port)));
		return 0;
	}
	library = need(open_library(way, argv[4]));
	printf("%s %s %s %s %s\n", ((name_call)need(dlsym(library, "late_asked")))(),
	       told(*(int *)need(dlsym(library, "late_at_load"))),
	       told(((dial_call)need(dlsym(library, "late_dial")))(host, port)),
	       told(((dial_call)need(dlsym(library, "late_dial_next")))(host, port)),
	       told(((dial_call)need(dlsym(library, "late_dial_handle")))(host, port)));
	return 0;
}
