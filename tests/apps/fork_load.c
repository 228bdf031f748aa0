/*
 * Sixteen threads that fork all the time, parents and children using names, network and files of the target
 * meanwhile. Arguments: seconds, host, port, file. Prints how many forks and rounds there were and how many
 * went wrong; fails when any did. A child that hangs, on a lock that another thread held at the fork, makes
 * the program hang.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 16

static const char *host, *port, *file;
static time_t end;
static atomic_int forks, rounds, failures;

static void failed(const char *what, int code)
{
	if (atomic_fetch_add(&failures, 1) < 10)
		dprintf(2, "%d: %s failed: %d\n", (int)getpid(), what, code);
}

static int dial(void)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	int fd, status = getaddrinfo(host, port, &hints, &found);

	if (status != 0) {
		failed("getaddrinfo", status);
		return -1;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
		failed("connect", errno);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

/* A request, its whole answer, and the file's first byte. */
static void one_round(void)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	char answer[4096], byte;
	ssize_t got, total = 0;
	int fd = dial();

	if (fd < 0)
		return;
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		failed("send", errno);
	while ((got = read(fd, answer, sizeof(answer))) > 0)
		total += got;
	if (got < 0 || total == 0)
		failed("read", got < 0 ? errno : 0);
	close(fd);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &byte, 1) != 1)
		failed("file", errno);
	if (fd >= 0)
		close(fd);
	atomic_fetch_add(&rounds, 1);
}

static void *work(void *unused)
{
	(void)unused;
	while (time(NULL) < end) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			int before = atomic_load(&failures);

			one_round();
			_exit(atomic_load(&failures) != before);
		}
		if (pid < 0) {
			failed("fork", errno);
			break;
		}
		atomic_fetch_add(&forks, 1);
		one_round();
		if (waitpid(pid, &status, 0) != pid || status != 0)
			failed("child", status);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc != 5)
		return 2;
	end = time(NULL) + atoi(argv[1]);
	host = argv[2];
	port = argv[3];
	file = argv[4];
	for (int number = 0; number < THREADS; number++)
		if (pthread_create(&threads[number], NULL, work, NULL))
			return 2;
	for (int number = 0; number < THREADS; number++)
		pthread_join(threads[number], NULL);
	printf("forks %d rounds %d failures %d\n", forks, rounds, failures);
	return failures != 0 || forks < THREADS;
}
