/*
 * An app that dials as it is told, with calls that every system has: reads one call a line from stdin and
 * prints one line: what the call gave, or the errno's name. tests/layer/macos_outgoing_test.ts drives it.
 *   connect HOST PORT [now] | connectx HOST PORT TEXT | send FD TEXT | sendmsg FD TEXT | recv FD | recvmsg FD |
 *   udp | sendto FD HOST PORT TEXT | recvfrom FD | names FD | error FD | close FD
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "errno_name.h"
#include "socket_name.h"

static void say(long result)
{
	if (result < 0)
		printf("%s\n", errno_name(errno));
	else
		printf("%ld\n", result);
}

static void names(int fd)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	if (getpeername(fd, (struct sockaddr *)&name, &length) < 0) {
		say(-1);
		return;
	}
	printf("%s from ", name_text(&name));
	length = sizeof(name);
	getsockname(fd, (struct sockaddr *)&name, &length);
	printf("%s\n", name_text(&name));
}

static long dial(const char *host, int port, const char *how)
{
	struct sockaddr_storage name;
	socklen_t length = parse_name(host, port, &name);
	int fd = socket(name.ss_family, SOCK_STREAM, 0);

	if (strcmp(how, "now") == 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&name, length) == 0)
		return fd;
	close(fd);
	return -1;
}

#ifdef __APPLE__
static long dial_with(const char *host, int port, char *bytes)
{
	struct sockaddr_storage name;
	socklen_t length = parse_name(host, port, &name);
	sa_endpoints_t ends = { .sae_dstaddr = (struct sockaddr *)&name, .sae_dstaddrlen = length };
	struct iovec part = { bytes, strlen(bytes) };
	int fd = socket(name.ss_family, SOCK_STREAM, 0);
	size_t sent = 0;

	if (connectx(fd, &ends, SAE_ASSOCID_ANY, 0, &part, 1, &sent, NULL) == 0 && sent == part.iov_len)
		return fd;
	close(fd);
	return -1;
}
#endif

static void received(ssize_t got, const char *bytes)
{
	if (got < 0)
		say(got);
	else
		printf("%.*s\n", (int)got, bytes);
}

static void receive_from(int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t length = sizeof(name);
	char bytes[200];
	ssize_t got = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&name, &length);

	if (got < 0) {
		say(got);
		return;
	}
	printf("%.*s from %s\n", (int)got, bytes, name_text(&name));
}

static ssize_t move_message(int fd, char *bytes, size_t count, int sends)
{
	struct iovec part = { bytes, count };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	return sends ? sendmsg(fd, &message, 0) : recvmsg(fd, &message, 0);
}

static void obey(char words[5][64])
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(int);
	char bytes[200];
	int fd = atoi(words[1]), error = 0;

	if (strcmp(words[0], "connect") == 0)
		say(dial(words[1], atoi(words[2]), words[3]));
#ifdef __APPLE__
	else if (strcmp(words[0], "connectx") == 0)
		say(dial_with(words[1], atoi(words[2]), words[3]));
#endif
	else if (strcmp(words[0], "send") == 0)
		say(send(fd, words[2], strlen(words[2]), 0));
	else if (strcmp(words[0], "sendmsg") == 0)
		say(move_message(fd, words[2], strlen(words[2]), 1));
	else if (strcmp(words[0], "recv") == 0)
		received(recv(fd, bytes, sizeof(bytes), 0), bytes);
	else if (strcmp(words[0], "recvmsg") == 0)
		received(move_message(fd, bytes, sizeof(bytes), 0), bytes);
	else if (strcmp(words[0], "udp") == 0)
		say(socket(AF_INET, SOCK_DGRAM, 0));
	else if (strcmp(words[0], "sendto") == 0)
		say(sendto(fd, words[4], strlen(words[4]), 0, (struct sockaddr *)&name, parse_name(words[2], atoi(words[3]), &name)));
	else if (strcmp(words[0], "recvfrom") == 0)
		receive_from(fd);
	else if (strcmp(words[0], "names") == 0)
		names(fd);
	else if (strcmp(words[0], "error") == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0)
		printf("%s\n", error ? errno_name(error) : "0");
	else if (strcmp(words[0], "close") == 0)
		say(close(fd));
	else
		say(-1);
}

int main(void)
{
	char line[320], words[5][64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char *at = strtok(line, " \n");

		memset(words, 0, sizeof(words));
		for (int i = 0; i < 5 && at; i++, at = strtok(NULL, " \n"))
			snprintf(words[i], sizeof(words[i]), "%s", at);
		obey(words);
	}
	return 0;
}
