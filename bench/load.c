/*
 * Server and client of the benches, in one program that costs little beside what is measured. HOST is an IPv4
 * address.
 *
 *   load serve PORT                     a thread for each connection; the first byte says what is asked
 *   load down|up HOST PORT BYTES        one stream: MB/s
 *   load rtt HOST PORT TIMES            one byte there and back on an open connection: median, us
 *   load connect HOST PORT TIMES        a connection and its first byte there and back, one after the other: median, us
 *   load connects HOST PORT TIMES N     the same, N at a time: connections per second
 *   load http HOST PORT SECONDS N       requests on N kept connections, as fast as each is answered: requests per second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, STACK = 256 << 10, LIMIT_SECONDS = 5 };

static const char request[] = "GET /orders/17 HTTP/1.1\r\nHost: app\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

static const char *host, *port;
static long rest; /* what is left to do, for all threads */
static double until;
static atomic_long done, lost; /* lost: connections that were not answered in time */

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void send_all(int fd, const void *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			fail("send");
		bytes = (const char *)bytes + sent;
		length -= sent;
	}
}

static void at_once(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

static void spawn(void *(*run)(void *), void *argument, pthread_t *thread)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(thread, &attributes, run, argument) != 0)
		fail("pthread_create");
	pthread_attr_destroy(&attributes);
}

/* Answers as many heads as `length` bytes end; what the last one has of its end is kept in `*matched`. */
static void answer_heads(int fd, const char *bytes, ssize_t length, int *matched)
{
	for (ssize_t i = 0; i < length; i++) {
		*matched = bytes[i] == "\r\n\r\n"[*matched] ? *matched + 1 : bytes[i] == '\r';
		if (*matched < 4)
			continue;
		*matched = 0;
		send_all(fd, answer, sizeof(answer) - 1);
	}
}

static void *serve_one(void *argument)
{
	int fd = (int)(intptr_t)argument, matched = 0;
	char *block = calloc(1, BLOCK);
	ssize_t length = recv(fd, block, 1, 0);
	char asked = length == 1 ? *block : 0;
	uint64_t bytes = 0;

	at_once(fd);
	if ((asked == 'd' || asked == 'u') && recv(fd, &bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
		bytes = 0;
	if (asked == 'd') {
		while (bytes > 0) {
			ssize_t sent = send(fd, block, bytes < BLOCK ? bytes : BLOCK, MSG_NOSIGNAL);

			if (sent <= 0)
				break;
			bytes -= sent;
		}
	} else if (asked == 'u') {
		/* The client's end does not say that all came: kubectl port-forward carries no half-close. */
		while (bytes > 0 && (length = recv(fd, block, BLOCK, 0)) > 0)
			bytes -= length;
		if (bytes == 0)
			send(fd, block, 1, MSG_NOSIGNAL);
	} else if (asked == 'e' || asked == 'G') {
		if (asked == 'e')
			send(fd, block, 1, MSG_NOSIGNAL);
		while ((length = recv(fd, block, BLOCK, 0)) > 0) {
			if (asked == 'e' && send(fd, block, length, MSG_NOSIGNAL) < 0)
				break;
			if (asked == 'G')
				answer_heads(fd, block, length, &matched);
		}
	}
	close(fd);
	free(block);
	return NULL;
}

static void serve(int number)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(number) };
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	pthread_t thread;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(listener, 1024) < 0)
		fail("listen");
	fprintf(stderr, "listening\n");
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		spawn(serve_one, (void *)(intptr_t)fd, &thread);
		pthread_detach(thread);
	}
}

static int dial(char asked)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, host, &name.sin_addr) != 1 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		fail("connect");
	at_once(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ LIMIT_SECONDS, 0 }, sizeof(struct timeval));
	if (asked != 0)
		send_all(fd, &asked, 1);
	return fd;
}

/* Some connections of kubectl port-forward are never answered: these are counted, not waited for. */
static int is_answered(int fd, void *bytes, size_t length)
{
	if (recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length)
		return 1;
	if (errno != EAGAIN)
		fail("recv");
	atomic_fetch_add(&lost, 1);
	return 0;
}

static void receive_byte(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 1)
		fail("recv");
}

static void connect_once(void)
{
	int fd = dial('e');
	char byte;

	is_answered(fd, &byte, 1);
	/* A reset: a local port for each connection would run out. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
}

static void *connect_many(void *unused)
{
	while (atomic_fetch_add(&done, 1) < rest)
		connect_once();
	return unused;
}

static void *request_many(void *unused)
{
	int fd = dial(0);
	char block[sizeof(answer)];

	while (now() < until) {
		send_all(fd, request, sizeof(request) - 1);
		if (!is_answered(fd, block, sizeof(answer) - 1))
			break;
		atomic_fetch_add(&done, 1);
	}
	close(fd);
	return unused;
}

/* Runs `count` threads to their end; returns the seconds that they took. */
static double together(void *(*run)(void *), int count)
{
	pthread_t threads[count];
	double from = now();

	for (int i = 0; i < count; i++)
		spawn(run, NULL, &threads[i]);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return now() - from;
}

static double stream(char asked, uint64_t bytes)
{
	char *block = calloc(1, BLOCK);
	double from = now();
	int fd = dial(asked);
	uint64_t moved = 0;
	ssize_t length;

	send_all(fd, &bytes, sizeof(bytes));
	if (asked == 'd') {
		while ((length = recv(fd, block, BLOCK, 0)) > 0)
			moved += length;
		if (moved != bytes)
			fail("the stream is not whole");
	} else {
		for (; moved < bytes; moved += BLOCK)
			send_all(fd, block, BLOCK);
		receive_byte(fd);
	}
	return moved / (now() - from) / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, int count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static double trips(int times, int opens)
{
	double *took = calloc(times, sizeof(*took));
	int fd = opens ? -1 : dial('e');

	if (!opens)
		receive_byte(fd);
	for (int i = 0; i < times; i++) {
		double from = now();

		if (opens) {
			connect_once();
		} else {
			send_all(fd, "x", 1);
			receive_byte(fd);
		}
		took[i] = now() - from;
	}
	return median(took, times) * 1e6;
}

int main(int count, char **arguments)
{
	const char *verb = count > 2 ? arguments[1] : "";
	double figure;
	int many = count > 5 ? atoi(arguments[5]) : 1;

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(verb, "serve") == 0)
		serve(atoi(arguments[2]));
	if (count < 5)
		return 2;
	host = arguments[2];
	port = arguments[3];
	rest = atol(arguments[4]);
	if (strcmp(verb, "down") == 0 || strcmp(verb, "up") == 0) {
		figure = stream(*verb, rest);
	} else if (strcmp(verb, "rtt") == 0 || strcmp(verb, "connect") == 0) {
		figure = trips(rest, *verb == 'c');
	} else if (strcmp(verb, "connects") == 0) {
		figure = together(connect_many, many);
		figure = (rest - atomic_load(&lost)) / figure;
	} else if (strcmp(verb, "http") == 0) {
		until = now() + rest;
		together(request_many, many);
		figure = (double)atomic_load(&done) / rest;
	} else {
		return 2;
	}
	if (atomic_load(&lost) > 0)
		fprintf(stderr, "%ld connections were not answered within %d s\n", atomic_load(&lost), LIMIT_SECONDS);
	printf("%f\n", figure);
	return 0;
}
