/*
 * Four threads accept on one listener and tell each client its own address, as getpeername gives it.
 * Meanwhile a timer's handler makes and ends descriptors of that listener, and asks for its name, wherever it
 * interrupts. Prints the listener's port, and after 400 clients how many signals there were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS 4
#define CLIENTS 400

static int listener;
static atomic_int served, signals;

static void on_timer(int number)
{
	struct sockaddr_in name;
	socklen_t length = sizeof(name);
	int saved = errno, copy = dup(listener);

	(void)number;
	getsockname(copy, (struct sockaddr *)&name, &length);
	close(copy);
	atomic_fetch_add(&signals, 1);
	errno = saved;
}

static void *serve(void *unused)
{
	struct sockaddr_in peer;
	char text[64], host[INET_ADDRSTRLEN];
	socklen_t length;
	int fd, size;

	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0 && errno == EINTR)
			continue;
		if (fd < 0)
			return unused;
		length = sizeof(peer);
		getpeername(fd, (struct sockaddr *)&peer, &length);
		inet_ntop(AF_INET, &peer.sin_addr, host, sizeof(host));
		size = snprintf(text, sizeof(text), "%s %d", host, ntohs(peer.sin_port));
		while (write(fd, text, (size_t)size) < 0 && errno == EINTR)
			;
		close(fd);
		if (atomic_fetch_add(&served, 1) + 1 == CLIENTS) {
			printf("signals %d\n", atomic_load(&signals));
			fflush(stdout);
		}
	}
}

int main(void)
{
	struct itimerval every = { { 0, 200 }, { 0, 200 } };
	struct sigaction action = { .sa_handler = on_timer };
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t length = sizeof(name);
	pthread_t threads[THREADS];

	listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (struct sockaddr *)&name, sizeof(name));
	listen(listener, 64);
	getsockname(listener, (struct sockaddr *)&name, &length);
	printf("%d\n", ntohs(name.sin_port));
	fflush(stdout);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, serve, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
