/*
 * Makes each call in a thread whose stack is as small as threads may have it, in a process of its own, and
 * prints what came of it. Arguments: the folder with the files, the stack's size in bytes (0: how much each
 * call needs, measured), names of calls (none: all).
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <resolv.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* readdir_r(3) */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define MEASURED (1 << 20)
#define PAINT 0x5a

static const char *top;
static char name_bytes[4096], buffer[1 << 17];
static struct stat status;
static int visits;

static const char *at(const char *name)
{
	char *into = name_bytes;

	into = stpcpy(stpcpy(into, top), "/");
	stpcpy(into, name);
	return name_bytes;
}

static const char *also(const char *name)
{
	static char bytes[4096];

	stpcpy(stpcpy(stpcpy(bytes, top), "/"), name);
	return bytes;
}

static int visit(const char *path, const struct stat *s, int flag, struct FTW *where)
{
	(void)path, (void)s, (void)flag, (void)where;
	visits++;
	return 0;
}

static int plain_visit(const char *path, const struct stat *s, int flag)
{
	(void)path, (void)s, (void)flag;
	visits++;
	return 0;
}

static int large(void)
{
	return open(at("large"), O_RDONLY);
}

static int anew(const char *name)
{
	return open(at(name), O_RDWR | O_CREAT | O_TRUNC, 0644);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int is(int result)
{
	return result < 0 ? -errno : result;
}

#define CALL(name, ...) \
	static long call_##name(void) \
	{ \
		__VA_ARGS__ \
	}
#include "small_stack_calls.h"
#undef CALL

static const struct {
	const char *name;
	long (*run)(void);
} calls[] = {
#define CALL(name, ...) { #name, call_##name },
#include "small_stack_calls.h"
#undef CALL
};

static void *thread(void *call)
{
	return (void *)((long (*)(void))call)();
}

static long run(long (*call)(void), size_t size)
{
	pthread_attr_t attributes;
	unsigned char *stack = NULL;
	pthread_t id;
	void *result;
	size_t low = 0;

	pthread_attr_init(&attributes);
	if (size > 0) {
		pthread_attr_setstacksize(&attributes, size);
	} else {
		stack = mmap(NULL, MEASURED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(stack, PAINT, MEASURED);
		pthread_attr_setstack(&attributes, stack, MEASURED);
	}
	if (pthread_create(&id, &attributes, thread, (void *)call) != 0)
		return -1;
	pthread_join(id, &result);
	if (size > 0)
		return (long)result;
	while (stack[low] == PAINT)
		low++;
	return (long)(MEASURED - low);
}

static int wanted(int argc, char **argv, const char *name)
{
	for (int i = 3; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return 1;
	return argc < 4;
}

int main(int argc, char **argv)
{
	size_t size = (size_t)atoi(argv[2]);

	top = argv[1];
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int state;
		pid_t child;

		if (!wanted(argc, argv, calls[i].name))
			continue;
		child = fork();
		if (child == 0) {
			printf("%s %ld\n", calls[i].name, run(calls[i].run, size));
			_exit(0);
		}
		waitpid(child, &state, 0);
		if (WIFSIGNALED(state))
			printf("%s signal %d\n", calls[i].name, WTERMSIG(state));
	}
	return 0;
}
