/*
 * A second door in small: runs the layer's operations on the sockets of a program that has no layer, whose
 * descriptors it takes by pidfd_getfd(2), as a supervisor of system calls would. Built with layer/ops, link
 * and sys, without layer/preload. supervisor bind HOST PORT: the program binds and listens, then accepts one
 * connection, and says what it got. supervisor connect HOST PORT: the program connects, sends "question" and
 * says what it got. Each operation's verdict is a line.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../layer/link/config.h"
#include "../../layer/link/link.h"
#include "../../layer/link/way.h"
#include "../../layer/ops/sockets/bind.h"
#include "../../layer/ops/sockets/connect.h"
#include "../../layer/ops/sockets/incoming.h"
#include "../../layer/ops/sockets/socket_names.h"
#include "../../layer/sys/sys.h"
#include "../../layer/sys/sys_sockets.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static void say(const char *what, struct verdict verdict)
{
	static const char *const kinds[] = { "libc", "value", "error", "descriptor" };

	printf("%s %s %ld\n", what, kinds[verdict.kind], verdict.value);
}

static void say_name(const char *what, const union name *name)
{
	char host[INET6_ADDRSTRLEN];

	printf("%s %s %u\n", what, inet_ntop(AF_INET, &name->v4.sin_addr, host, sizeof(host)), address_port(name));
}

/*
 * The program: a socket, which others bind or connect, until `go` says so; what it accepted it tells by
 * `told`.
 */
static int program(int socket, int go, int told, bool listens)
{
	char text[64] = "";
	int fd = socket;

	if (read(go, text, 1) != 1)
		return 1;
	if (listens) {
		fd = accept(socket, NULL, NULL);
		if (write(told, &fd, sizeof(fd)) != sizeof(fd))
			return 1;
	} else if (send(socket, "question", 8, 0) != 8) {
		return 1;
	}
	if (recv(fd, text, sizeof(text) - 1, 0) < 0)
		return 1;
	printf("program %s\n", text);
	return fflush(stdout);
}

/* What a door does with a verdict that leaves the call to libc: here the kernel's own, on the copy. */
static struct verdict connect_through(struct fds_handle *socket, struct outgoing_connect *call)
{
	int native = sys_connect(socket->fd, &call->remote.any, address_size(&call->remote));

	return call->waits ? outgoing_waited(socket, call, native) : verdict_result(native);
}

static void run_bind(struct fds_handle *socket, const union name *asked)
{
	union name name;

	say("bind", incoming_bind(socket, asked));
	/* As another call would find it, by another copy. */
	fds_find_object(socket->fd, socket);
	say("listen", incoming_listen(socket, 5));
	fds_find_object(socket->fd, socket);
	say("getsockname", socket_name(socket, false, &name));
	say_name("named", &name);
}

static void run_connect(struct fds_handle *socket, const union name *remote)
{
	struct outgoing_connect call = { .remote = *remote };
	struct verdict verdict = socket_connect(socket, &call);
	union name name;

	say("connect", verdict);
	if (verdict.kind == VERDICT_LIBC)
		say("waited", connect_through(socket, &call));
	fds_find_object(socket->fd, socket);
	say("getpeername", socket_name(socket, true, &name));
	say_name("named", &name);
}

static int take(int pidfd, int theirs)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
}

static void run_accept(struct fds_handle *listener, int pidfd, int told)
{
	socklen_t length = sizeof(union name);
	union name peer;
	int theirs, fd;

	if (read(told, &theirs, sizeof(theirs)) != sizeof(theirs))
		return;
	fd = take(pidfd, theirs);
	sys_getpeername(fd, &peer.any, &length);
	fds_find_object(listener->fd, listener);
	say("accepted", incoming_accepted(listener, fd, &peer));
	say_name("from", &peer);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	union name asked = { .v4 = { .sin_family = AF_INET } };
	bool listens = argc == 4 && strcmp(argv[1], "bind") == 0;
	struct fds_handle handle;
	int theirs = socket(AF_INET, SOCK_STREAM, 0), go[2], told[2], status, pidfd;
	pid_t pid;

	if (argc != 4 || inet_pton(AF_INET, argv[2], &asked.v4.sin_addr) != 1 || pipe(go) < 0 || pipe(told) < 0)
		return 2;
	address_set_port(&asked, (uint16_t)atoi(argv[3]));
	pid = fork();
	if (pid == 0)
		_exit(program(theirs, go[0], told[1], listens));
	close(theirs);
	if (!config_read() || !link_start())
		return 2;
	way_open(config_socket());
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fds_find_object(take(pidfd, theirs), &handle);
	if (listens)
		run_bind(&handle, &asked);
	else
		run_connect(&handle, &asked);
	fflush(stdout);
	if (write(go[1], "", 1) != 1)
		return 1;
	if (listens)
		run_accept(&handle, pidfd, told[0]);
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
