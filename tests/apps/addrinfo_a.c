/*
 * Asks libc about hosts asynchronously: one order a line on standard input, one line of answer each. Run
 * under the layer and in the target itself by the tests of names, which compare the lines.
 *   wait NAME… | signal NAME… | thread NAME… | suspend NAME… | begin NAME… | status N | cancel N | hold N MILLISECONDS |
 *   end N | fork NAME | argue | quit
 * Requests that `begin` puts keep their numbers, from 0 on, for the orders after it; "=" is no request at
 * all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 64

static struct gaicb blocks[MOST];
static char names[MOST][300];
static int begun;
static const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
static sem_t told;
static int told_value, told_code;
static pid_t told_by;

/* Puts a request for each name behind those that are there; returns how many. */
static int put(char *rest, struct gaicb **list, int first)
{
	int count = 0;

	for (char *name; (name = strsep(&rest, " \n")) && count < MOST - first;) {
		if (!*name)
			continue;
		snprintf(names[first + count], sizeof(names[0]), "%s", name);
		blocks[first + count] = (struct gaicb){
			.ar_name = names[first + count], .ar_service = "80", .ar_request = &hints
		};
		list[count] = strcmp(name, "=") == 0 ? NULL : &blocks[first + count];
		count++;
	}
	return count;
}

static void print_one(struct gaicb *block)
{
	int status = gai_error(block);
	char text[INET_ADDRSTRLEN];

	printf(" %s %d", block->ar_name, status);
	for (struct addrinfo *at = status == 0 ? block->ar_result : NULL; at; at = at->ai_next)
		printf(" %s", inet_ntop(AF_INET, &((struct sockaddr_in *)at->ai_addr)->sin_addr, text, sizeof(text)));
	if (status == 0)
		freeaddrinfo(block->ar_result);
}

static void print_all(struct gaicb **list, int count)
{
	for (int i = 0; i < count; i++)
		if (list[i])
			print_one(list[i]);
}

static void on_signal(int number, siginfo_t *about, void *context)
{
	(void)number;
	(void)context;
	told_value = about->si_value.sival_int;
	told_code = about->si_code;
	told_by = about->si_pid;
	sem_post(&told);
}

static void on_thread(union sigval value)
{
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	told_value = value.sival_int;
	told_code = sigismember(&blocked, SIGUSR2);
	sem_post(&told);
}

static void await_told(void)
{
	while (sem_wait(&told) < 0)
		;
}

static void async(char *rest, int how)
{
	struct sigevent event = { .sigev_notify = how, .sigev_value.sival_int = 4711 };
	struct gaicb *list[MOST];
	int count = put(rest, list, 0), status;

	if (how == SIGEV_SIGNAL)
		event.sigev_signo = SIGUSR2;
	else
		event.sigev_notify_function = on_thread;
	status = getaddrinfo_a(GAI_NOWAIT, list, count, &event);
	await_told();
	printf("%d told %d %d%s", status, told_value, told_code, told_by == getpid() ? " by itself" : "");
	print_all(list, count);
}

/* Until all have ended. */
static void suspend(char *rest)
{
	struct gaicb *list[MOST];
	int count = put(rest, list, 0), status = getaddrinfo_a(GAI_NOWAIT, list, count, NULL);

	printf("%d", status);
	while ((status = gai_suspend((const struct gaicb *const *)list, count, NULL)) == 0)
		;
	printf(" %d", status);
	print_all(list, count);
}

static void end(int number)
{
	const struct gaicb *list[] = { &blocks[number] };

	while (gai_suspend(list, 1, NULL) == 0)
		;
	print_one(&blocks[number]);
}

static void hold(int number, long ms)
{
	const struct gaicb *list[] = { NULL, &blocks[number] };
	struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	printf("%d", gai_suspend(list, 2, &timeout));
}

/* A child looks up by itself, whatever its parent is waiting for. */
static void in_child(char *rest)
{
	fflush(stdout);
	if (fork() == 0) {
		struct gaicb *list[MOST];
		int count = put(rest, list, MOST / 2), status = getaddrinfo_a(GAI_WAIT, list, count, NULL);

		printf("child %d", status);
		print_all(list, count);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

/* What makes no sense. */
static void argue(void)
{
	struct gaicb *none[] = { NULL }, idle = { 0 };
	int status;

	errno = 0;
	status = getaddrinfo_a(17, none, 1, NULL);
	printf("%d %s", status, strerror(errno));
	printf(" %d %d", getaddrinfo_a(GAI_WAIT, none, 1, NULL), getaddrinfo_a(GAI_NOWAIT, none, 0, NULL));
	printf(" %d", gai_suspend((const struct gaicb *const *)none, 1, NULL));
	none[0] = &idle;
	printf(" %d %d", gai_suspend((const struct gaicb *const *)none, 1, NULL), gai_cancel(&idle));
}

static void obey(char *line)
{
	char *order = strsep(&line, " \n"), *rest = line;
	struct gaicb *list[MOST];
	int count, status;

	if (strcmp(order, "wait") == 0) {
		count = put(rest, list, 0);
		status = getaddrinfo_a(GAI_WAIT, list, count, NULL);
		printf("%d", status);
		print_all(list, count);
	} else if (strcmp(order, "signal") == 0) {
		async(rest, SIGEV_SIGNAL);
	} else if (strcmp(order, "thread") == 0) {
		async(rest, SIGEV_THREAD);
	} else if (strcmp(order, "suspend") == 0) {
		suspend(rest);
	} else if (strcmp(order, "begin") == 0) {
		count = put(rest, list, begun);
		begun += count;
		printf("%d", getaddrinfo_a(GAI_NOWAIT, list, count, NULL));
	} else if (strcmp(order, "status") == 0) {
		printf("%d", gai_error(&blocks[atoi(rest)]));
	} else if (strcmp(order, "cancel") == 0) {
		printf("%d", gai_cancel(&blocks[atoi(rest)]));
	} else if (strcmp(order, "hold") == 0) {
		hold(atoi(rest), atol(strchr(rest, ' ')));
	} else if (strcmp(order, "end") == 0) {
		end(atoi(rest));
	} else if (strcmp(order, "fork") == 0) {
		in_child(rest);
	} else if (strcmp(order, "argue") == 0) {
		argue();
	} else {
		printf("unknown");
	}
}

int main(void)
{
	static char line[12288];
	const struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

	sem_init(&told, 0, 0);
	sigaction(SIGUSR2, &action, NULL);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n") != 0) {
		obey(line);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
