/*
 * An app that dials as it is told: reads one call a line from stdin, makes it through libc, and prints one
 * line: what the call gave, or the errno's name. tests/layer/outgoing_test.ts drives it. Second names of a
 * call are found by dlsym.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "socket_name.h"

static struct sockaddr_storage name;
static socklen_t name_length;
static char text[70000];

static void say(long result)
{
	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%ld\n", result);
}

static void make_socket(const char *kind)
{
	int type = strstr(kind, "udp") ? SOCK_DGRAM : SOCK_STREAM;
	struct timeval limit = { .tv_usec = 300000 };
	int fd = socket(strchr(kind, '6') ? AF_INET6 : AF_INET, type | (strstr(kind, "now") ? SOCK_NONBLOCK : 0), 0);

	if (strstr(kind, "limited"))
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	limit.tv_sec = 5;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	say(fd);
}

static void do_connect(const char *call, int fd)
{
	int (*function)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_DEFAULT, call);
	long result = function(fd, (struct sockaddr *)&name, name_length);
	int error = errno;

	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	errno = error;
	say(result);
}

/* recvfrom, recvmsg, recvmmsg and __recvfrom_chk: what came, and from whom. */
static void do_receive(const char *call, int fd)
{
	ssize_t (*checked)(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *) =
		(ssize_t(*)(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *))dlsym(RTLD_DEFAULT, call);
	struct iovec part = { text, sizeof(text) };
	struct mmsghdr many = { .msg_hdr = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &part,
					     .msg_iovlen = 1 } };
	ssize_t got;

	memset(&name, 0, sizeof(name));
	name_length = sizeof(name);
	if (strcmp(call, "recvfrom") == 0)
		got = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&name, &name_length);
	else if (strcmp(call, "recvmsg") == 0)
		got = recvmsg(fd, &many.msg_hdr, 0);
	else if (strcmp(call, "recvmmsg") == 0)
		got = recvmmsg(fd, &many, 1, 0, NULL) == 1 ? (ssize_t)many.msg_len : -1;
	else
		got = checked(fd, text, sizeof(text), sizeof(text), 0, (struct sockaddr *)&name, &name_length);
	if (got < 0)
		say(got);
	else
		printf("%zd %.*s %s\n", got, (int)(got < 40 ? got : 40), got > 0 ? text : "-", name_text(&name));
}

static void do_send(const char *call, int fd, const char *what)
{
	size_t count = what[0] == '*' ? (size_t)atol(what + 1) : strlen(what);
	struct iovec part = { text, count };
	struct mmsghdr many = { .msg_hdr = { .msg_name = &name, .msg_namelen = name_length, .msg_iov = &part,
					     .msg_iovlen = 1 } };

	memset(text, 'x', sizeof(text));
	if (what[0] != '*')
		memcpy(text, what, count);
	if (strcmp(call, "sendto") == 0)
		say(sendto(fd, text, count, 0, (struct sockaddr *)&name, name_length));
	else if (strcmp(call, "fastopen") == 0)
		say(sendto(fd, text, count, MSG_FASTOPEN, (struct sockaddr *)&name, name_length));
	else if (strcmp(call, "sendmsg") == 0)
		say(sendmsg(fd, &many.msg_hdr, 0));
	else
		say(sendmmsg(fd, &many, 1, 0) == 1 ? (long)many.msg_len : -1);
}

static void do_name(const char *call, int fd)
{
	int result;

	name_length = sizeof(name);
	if (strcmp(call, "getpeername") == 0)
		result = getpeername(fd, (struct sockaddr *)&name, &name_length);
	else
		result = getsockname(fd, (struct sockaddr *)&name, &name_length);
	printf("%s\n", result < 0 ? strerrorname_np(errno) : name_text(&name));
}

static void do_error(int fd)
{
	int value = 0;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0)
		say(-1);
	else
		printf("%s\n", value == 0 ? "0" : strerrorname_np(value));
}

/* Which of the events come within the limit, level-triggered. */
static void do_poll(int fd, int limit_ms)
{
	struct pollfd one = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	if (poll(&one, 1, limit_ms) < 0)
		say(-1);
	else
		printf("%s%s%s%s.\n", one.revents & POLLIN ? "in " : "", one.revents & POLLOUT ? "out " : "",
		       one.revents & POLLERR ? "err " : "", one.revents & POLLHUP ? "hup " : "");
}

/* As poll, by select(2). */
static void do_select(int fd, int limit_ms)
{
	struct timeval limit = { .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 };
	fd_set in, out, other;
	int count;

	FD_ZERO(&in);
	FD_SET(fd, &in);
	out = other = in;
	count = select(fd + 1, &in, &out, &other, &limit);
	if (count < 0)
		say(-1);
	else
		printf("%s%s%s.\n", count && FD_ISSET(fd, &in) ? "in " : "", count && FD_ISSET(fd, &out) ? "out " : "",
		       count && FD_ISSET(fd, &other) ? "other " : "");
}

/* The events of a level-triggered epoll of its own, as bits. */
static void do_level(int fd, int limit_ms)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI };
	int levels = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(levels, EPOLL_CTL_ADD, fd, &event);
	printf("%#x\n", epoll_wait(levels, &event, 1, limit_ms) == 1 ? event.events : 0);
	close(levels);
}

/* The call that is first to meet what became of a connect. */
static void do_meet(const char *call, int fd)
{
	struct iovec part = { text, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct mmsghdr many = { .msg_hdr = message };
	ssize_t (*checked)(int, void *, size_t, size_t, int) =
		(ssize_t(*)(int, void *, size_t, size_t, int))dlsym(RTLD_DEFAULT, "__recv_chk");
	off_t start = 0;
	int file;

	if (strcmp(call, "send") == 0)
		say(send(fd, text, 1, MSG_NOSIGNAL));
	else if (strcmp(call, "sendto") == 0)
		say(sendto(fd, text, 1, MSG_NOSIGNAL, NULL, 0));
	else if (strcmp(call, "sendmsg") == 0)
		say(sendmsg(fd, &message, MSG_NOSIGNAL));
	else if (strcmp(call, "sendmmsg") == 0)
		say(sendmmsg(fd, &many, 1, MSG_NOSIGNAL));
	else if (strcmp(call, "write") == 0)
		say(write(fd, text, 1));
	else if (strcmp(call, "writev") == 0)
		say(writev(fd, &part, 1));
	else if (strcmp(call, "sendfile") == 0)
		file = open("/proc/self/exe", O_RDONLY), say(sendfile(fd, file, &start, 1)), close(file);
	else if (strcmp(call, "recv") == 0)
		say(recv(fd, text, 1, 0));
	else if (strcmp(call, "__recv_chk") == 0)
		say(checked(fd, text, 1, sizeof(text), 0));
	else if (strcmp(call, "recvfrom") == 0)
		say(recvfrom(fd, text, 1, 0, NULL, NULL));
	else if (strcmp(call, "recvmsg") == 0)
		say(recvmsg(fd, &message, 0));
	else if (strcmp(call, "recvmmsg") == 0)
		say(recvmmsg(fd, &many, 1, 0, NULL));
	else if (strcmp(call, "read") == 0)
		say(read(fd, text, 1));
	else
		say(readv(fd, &part, 1));
}

static int edges = -1;

/* Edge-triggered, registered before the connect. */
static void do_edge(int fd, int limit_ms)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int count;

	if (edges < 0) {
		edges = epoll_create1(EPOLL_CLOEXEC);
		say(epoll_ctl(edges, EPOLL_CTL_ADD, fd, &event));
		return;
	}
	count = epoll_wait(edges, &event, 1, limit_ms);
	printf("%s\n", count == 0 ? "none" : event.events & EPOLLERR ? "err" : event.events & EPOLLOUT ? "out" : "in");
}

static volatile bool tells;

static void on_alarm(int number)
{
	static const char word[] = "alarm\n";

	(void)number;
	if (tells && write(1, word, sizeof(word) - 1) < 0)
		_exit(1);
}

/*
 * SIGALRM every `ms` until the next connect is over, as one alone could come before the connect has begun; by
 * a handler without SA_RESTART, or by one with it that tells of itself.
 */
static void do_alarm(int ms, bool restart)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0 };
	struct timeval every = { .tv_usec = ms * 1000L };

	tells = restart;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &(struct itimerval){ every, every }, NULL);
	say(0);
}

/* A fork child closes its copy of `fd`, has a question answered that came after it, and ends. */
static void do_child(int fd, const char *host, int port)
{
	int status = -1;
	pid_t child;

	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child == 0) {
		close(fd);
		name_length = parse_name(host, port, &name);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		_exit(connect(fd, (struct sockaddr *)&name, name_length) < 0 && errno == ECONNREFUSED ? 0 : 1);
	}
	waitpid(child, &status, 0);
	signal(SIGCHLD, SIG_IGN);
	say(status);
}

static void obey(char *line)
{
	char call[32] = "", first[64] = "", second[64] = "", third[64] = "", fourth[64] = "";
	ssize_t got;
	int fd;

	sscanf(line, "%31s %63s %63s %63s %63s", call, first, second, third, fourth);
	fd = atoi(first);
	if (strncmp(call, "recv", 4) != 0 && strncmp(call, "__recv", 6) != 0)
		name_length = parse_name(second, atoi(third), &name);
	if (strcmp(call, "socket") == 0)
		make_socket(first);
	else if (strstr(call, "connect"))
		do_connect(call, fd);
	else if (strcmp(call, "bind") == 0)
		say(bind(fd, (struct sockaddr *)&name, name_length));
	else if (strcmp(call, "listen") == 0)
		say(listen(fd, 5));
	else if (strcmp(call, "recv") == 0)
		got = recv(fd, text, 4096, 0), got < 0 ? say(got) : (void)printf("%zd %.*s\n", got, (int)got, text);
	else if (strcmp(call, "send") == 0)
		say(send(fd, second, strlen(second), MSG_NOSIGNAL));
	else if (strstr(call, "recv"))
		do_receive(call, fd);
	else if (strstr(call, "send") || strcmp(call, "fastopen") == 0)
		do_send(call, fd, fourth);
	else if (strstr(call, "name"))
		do_name(call, fd);
	else if (strcmp(call, "error") == 0)
		do_error(fd);
	else if (strcmp(call, "poll") == 0)
		do_poll(fd, atoi(second));
	else if (strcmp(call, "select") == 0)
		do_select(fd, atoi(second));
	else if (strcmp(call, "level") == 0)
		do_level(fd, atoi(second));
	else if (strcmp(call, "meet") == 0)
		do_meet(second, fd);
	else if (strcmp(call, "edge") == 0)
		do_edge(fd, atoi(second));
	else if (strcmp(call, "alarm") == 0)
		do_alarm(atoi(first), strcmp(second, "restart") == 0);
	else if (strcmp(call, "shutdown") == 0)
		say(shutdown(fd, SHUT_WR));
	else if (strcmp(call, "reset") == 0)
		say(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)) || close(fd));
	else if (strcmp(call, "close") == 0)
		say(close(fd));
	else if (strcmp(call, "dup") == 0)
		say(dup(fd));
	else if (strcmp(call, "child") == 0)
		do_child(fd, second, atoi(third));
	else if (strcmp(call, "exec") == 0)
		execl("/proc/self/exe", "/proc/self/exe", (char *)NULL);
	else
		printf("no such call\n");
}

int main(void)
{
	char line[256];
	size_t length;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	say(0);
	/* Unbuffered: after exec the next line must still be there. */
	for (;;) {
		for (length = 0; length < sizeof(line) - 1; length++) {
			ssize_t got;

			do
				got = read(0, line + length, 1);
			while (got < 0 && errno == EINTR);
			if (got <= 0)
				return 0;
			if (line[length] == '\n')
				break;
		}
		line[length] = 0;
		obey(line);
	}
}
