/*
 * An app that does what it is told: reads one call a line from stdin, makes it through libc, and prints one
 * line: what the call gave, or the errno's name. tests/layer drives it. A call's name is the libc symbol's,
 * found by dlsym, so that second names (__close) and those a header redirects (fcntl64) are really the ones
 * called.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "errno_name.h"
#include "socket_name.h"

static char *self;

/* close(2) as glibc makes it for itself, which no preloaded library takes over. */
static int past_the_layer(int fd)
{
	int (*libc_close)(int) = (int (*)(int))dlsym(RTLD_DEFAULT, "__close_nocancel");

	return libc_close(fd);
}

static void say_number(long result)
{
	if (result < 0)
		printf("%s\n", errno_name(errno));
	else
		printf("%ld\n", result);
}

static int make_socket(const char *kind)
{
	int fd = socket(strchr(kind, '6') ? AF_INET6 : AF_INET, strstr(kind, "udp") ? SOCK_DGRAM : SOCK_STREAM, 0);
	int one = 1;

	if (strstr(kind, "only"))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (strstr(kind, "reuseport"))
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (strstr(kind, "reuseaddr"))
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (strstr(kind, "nonblock"))
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void do_accept(const char *call, int fd, const char *how)
{
	(void)call;
	struct sockaddr_storage name = { 0 };
	socklen_t length = strcmp(how, "short") == 0 ? 4 : sizeof(name);
	struct sockaddr *address = strcmp(how, "null") == 0 ? NULL : (struct sockaddr *)&name;
	int got;

#ifdef __linux__
	if (strcmp(call, "accept4") == 0)
		got = accept4(fd, address, address ? &length : NULL, SOCK_CLOEXEC);
	else
#endif
		got = accept(fd, address, address ? &length : NULL);
	if (got < 0)
		printf("%s\n", errno_name(errno));
	else
		printf("%d %s %u\n", got, name_text(&name), length);
}

static void do_name(const char *call, int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t length = sizeof(name);
	int result;

	if (strcmp(call, "getpeername") == 0)
		result = getpeername(fd, (struct sockaddr *)&name, &length);
	else
		result = getsockname(fd, (struct sockaddr *)&name, &length);
	printf("%s\n", result < 0 ? errno_name(errno) : name_text(&name));
}

static int do_connect(const char *host, int port, int source)
{
	struct sockaddr_storage name, from;
	socklen_t length = parse_name(host, port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM, 0);

	if (source && bind(fd, (struct sockaddr *)&from, parse_name(host, source, &from)) < 0)
		return -1;
	return connect(fd, (struct sockaddr *)&name, length) < 0 ? -1 : fd;
}

/* The child goes on reading; the parent waits for it and ends as it does. */
static void become_child(void)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		return;
	waitpid(child, &status, 0);
	_exit(WEXITSTATUS(status));
}

/* A vfork child that closes everything and runs another program, as shells and Python do. */
static void vfork_and_close(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0) {
		for (int fd = 3; fd < 1100; fd++)
			close(fd);
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	say_number(WEXITSTATUS(status));
}

/* `fd` goes to another program by SCM_RIGHTS (unix(7)); that program goes on reading. */
static void pass(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x', number[16];
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int pair[2], status;
	pid_t child;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	child = fork();
	if (child == 0) {
		close(fd);
		snprintf(number, sizeof(number), "%d", pair[1]);
		execl(self, self, "receive", number, (char *)NULL);
		_exit(1);
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	sendmsg(pair[0], &message, 0);
	waitpid(child, &status, 0);
	_exit(WEXITSTATUS(status));
}

static void receive(int from)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	recvmsg(from, &message, 0);
	if (CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	say_number(fd);
}

/* Any call of up to three numbers. */
static void do_call(const char *name, long a, long b, long c)
{
	int (*call)(long, long, long) = (int (*)(long, long, long))dlsym(RTLD_DEFAULT, name);

	if (!call)
		printf("no such call\n");
	else
		say_number(call(a, b, c));
}

static void obey(char *line)
{
	char call[32] = "", first[64] = "", second[64] = "", third[64] = "";
	struct sockaddr_storage name;
	char byte;

	sscanf(line, "%31s %63s %63s %63s", call, first, second, third);
	if (strcmp(call, "socket") == 0)
		say_number(make_socket(first));
	else if (strcmp(call, "bind") == 0)
		say_number(bind(atoi(first), (struct sockaddr *)&name, parse_name(second, atoi(third), &name)));
	else if (strncmp(call, "accept", 6) == 0)
		do_accept(call, atoi(first), second);
	else if (strncmp(call, "get", 3) == 0)
		do_name(call, atoi(first));
	else if (strcmp(call, "connect") == 0)
		say_number(do_connect(first, atoi(second), atoi(third)));
#ifdef __linux__
	else if (strcmp(call, "closefrom") == 0)
		closefrom(atoi(first)), say_number(0);
#endif
	else if (strcmp(call, "raw_close") == 0)
		say_number(past_the_layer(atoi(first)));
	else if (strcmp(call, "fclose") == 0)
		say_number(fclose(fdopen(atoi(first), "r")));
	else if (strcmp(call, "read") == 0)
		say_number(read(atoi(first), &byte, 1));
	else if (strcmp(call, "fork") == 0)
		become_child(), say_number(0);
	else if (strcmp(call, "vfork") == 0)
		vfork_and_close();
	else if (strcmp(call, "pass") == 0)
		pass(atoi(first));
	else if (strcmp(call, "exec") == 0)
		execl(self, self, "again", (char *)NULL);
#ifdef __APPLE__
	else if (strcmp(call, "fcntl") == 0) /* what stands for the dots is passed on the stack on arm64 */
		say_number(fcntl(atoi(first), atoi(second), atol(third)));
#endif
	else
		do_call(call, atol(first), atol(second), atol(third));
}

int main(int count, char **arguments)
{
	char line[256];
	size_t length;
	long got;

#ifdef __linux__
	self = "/proc/self/exe";
#else
	self = arguments[0];
#endif
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count > 2)
		receive(atoi(arguments[2]));
	else
		say_number(count - 1);
	/* Unbuffered: after fork or exec the next line must still be there. */
	for (;;) {
		for (length = 0; length < sizeof(line) - 1; length++) {
			got = read(0, line + length, 1);
			if (got <= 0)
				return 0;
			if (line[length] == '\n')
				break;
		}
		line[length] = 0;
		obey(line);
	}
}
