/*
 * How fast are connections accepted? A child dials the listener as often as the argument says, one connection
 * after the other; each is accepted, asked for its peer and closed, as servers do. Prints microseconds for a
 * connection.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void dial(const struct sockaddr_in *name, int times)
{
	struct linger now = { 1, 0 };

	for (int i = 0; i < times; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char byte;

		if (connect(fd, (const struct sockaddr *)name, sizeof(*name)) < 0)
			_exit(1);
		/* Waits for the end, then resets: a local port for each connection would run out. */
		if (read(fd, &byte, 1) < 0)
			_exit(1);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	_exit(0);
}

int main(int count, char **arguments)
{
	int times = count > 1 ? atoi(arguments[1]) : 1000, status;
	struct sockaddr_in name = { .sin_family = AF_INET }, peer;
	socklen_t length = sizeof(name);
	struct timespec from, to;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bind(listener, (struct sockaddr *)&name, sizeof(name));
	listen(listener, 64);
	getsockname(listener, (struct sockaddr *)&name, &length);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (fork() == 0)
		dial(&name, times);
	for (int i = 0; i < times; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return 1;
		length = sizeof(peer);
		getpeername(fd, (struct sockaddr *)&peer, &length);
		close(fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	wait(&status);
	printf("%.2f\n", ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) / times);
	return WEXITSTATUS(status);
}
