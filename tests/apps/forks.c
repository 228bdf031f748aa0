/*
 * Sixteen threads ask the session (bind), fork, and wait for the child, which asks for itself and ends, or
 * runs this program again, which asks and ends. Prints "done", or what went wrong. As often as the argument
 * says.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 16

static int rounds;
static atomic_int wrong;

/* Binds a socket to a port that no other thread asks for. */
static int ask(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(20000 + gettid() % 30000)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	status = bind(fd, (struct sockaddr *)&name, sizeof(name));
	close(fd);
	return status;
}

static void *fork_often(void *unused)
{
	int status;

	for (int i = 0; i < rounds; i++) {
		pid_t child;

		if (ask() < 0)
			atomic_fetch_add(&wrong, 1);
		child = fork();
		if (child == 0 && i % 4 == 0)
			execl("/proc/self/exe", "leaf", (char *)NULL);
		if (child == 0)
			_exit(ask() < 0);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			atomic_fetch_add(&wrong, 1);
	}
	return unused;
}

int main(int count, char **arguments)
{
	pthread_t threads[THREADS];

	if (count < 2)
		return ask() < 0;
	rounds = atoi(arguments[1]);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, fork_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		printf("%d wrong\n", wrong);
	else
		printf("done\n");
	return 0;
}
