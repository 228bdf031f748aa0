/*
 * Tests of ask.c against a session of their own, which answers on command: threads side by side, signals and
 * timeouts while waiting, late answers, jumps out of handlers, forks. Run by tests/layer/ops_test.ts.
 *
 * The questions are of kind 99; the body is an order: 'n' answer now, 'h' hold, 'r' answer all that is held,
 * then this.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "config.h"
#include "link.h"
#include "../ops/tap.h"
#include "../sys/sys.h"

#define ORDER 99
#define MOST 1024

static _Thread_local bool inside;
static char folder[] = "/tmp/mirrord-link-test.XXXXXX";
static char path[128];
static _Atomic(int) links, ended, holding, held_ever, processes;

static bool set_inside(bool now)
{
	bool before = inside;

	inside = now;
	return before;
}

const char *config_socket(void)
{
	return path;
}

/* -- the session -- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { int fd; uint32_t id; } held[MOST];
static uint64_t known[MOST];

static void answer(int fd, uint16_t kind, uint32_t id, const unsigned char *body, size_t length)
{
	unsigned char frame[256];
	struct wire_header header = { .length = (uint32_t)length, .kind = kind, .flags = WIRE_END, .id = id };

	wire_pack_header(&header, frame);
	memcpy(frame + WIRE_HEADER_BYTES, body, length);
	sys_send_all(fd, frame, WIRE_HEADER_BYTES + length);
}

static void greet(int fd, uint32_t id, const unsigned char *body, size_t length)
{
	/* Whether the floors are caught, of which `files` is the fourth; a table of paths; the last floor. */
	static const unsigned char reply[] = { 0, 0, 0, 1, 5, 0, 0, 0, 't', 'a', 'b', 'l', 'e', 0 };
	uint64_t process = length < 12 ? 0 : wire_load(body + 4, 8);
	int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < processes && known[i] != process; i++)
		;
	if (i == processes)
		known[processes++] = process;
	pthread_mutex_unlock(&lock);
	answer(fd, wire_hello_shape.kind, id, reply, sizeof(reply));
}

static void obey(int fd, uint32_t id, char order)
{
	pthread_mutex_lock(&lock);
	for (int i = 0; order == 'r' && i < holding; i++)
		answer(held[i].fd, ORDER, held[i].id, (const unsigned char *)"h", 1);
	if (order == 'r')
		holding = 0;
	if (order == 'h') {
		held[holding].fd = fd;
		held[holding++].id = id;
		held_ever++;
	} else {
		answer(fd, ORDER, id, (const unsigned char *)&order, 1);
	}
	pthread_mutex_unlock(&lock);
}

static void *serve_link(void *number)
{
	int fd = (int)(intptr_t)number;
	struct wire_header header;
	unsigned char bytes[1024];

	while (sys_receive_all(fd, bytes, WIRE_HEADER_BYTES) == 0 && wire_unpack_header(&header, bytes) == 0 &&
	       sys_receive_all(fd, bytes, header.length) == 0) {
		if (header.kind == wire_hello_shape.kind)
			greet(fd, header.id, bytes, header.length);
		else
			obey(fd, header.id, (char)bytes[0]);
	}
	pthread_mutex_lock(&lock);
	for (int i = 0; i < holding; i++)
		if (held[i].fd == fd)
			held[i--] = held[--holding];
	close(fd);
	pthread_mutex_unlock(&lock);
	ended++;
	return NULL;
}

static void *serve(void *listener)
{
	pthread_t thread;
	sigset_t all;
	int fd;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while ((fd = accept((int)(intptr_t)listener, NULL, NULL)) >= 0) {
		links++;
		pthread_create(&thread, NULL, serve_link, (void *)(intptr_t)fd);
		pthread_detach(thread);
	}
	return NULL;
}

/* -- the app -- */

static const struct wire_shape shape = { .kind = ORDER, .count = 1, .fields = { { WIRE_U8, 0 } } };

static int request(char order)
{
	char got = 0;
	struct ask ask = { .shape = &shape, .message = &order, .reply_shape = &shape, .reply = &got };
	int status = ask_now(&ask);

	return status < 0 ? status : got;
}

static int wait_for(char order, int timeout)
{
	char got = 0;
	struct ask ask = { .shape = &shape, .message = &order, .reply_shape = &shape, .reply = &got };
	int status;

	inside = true;
	status = ask_patiently(&ask, timeout);
	inside = false;
	return status < 0 ? status : got;
}

static void until(_Atomic(int) *count, int value)
{
	while (atomic_load(count) < value)
		sched_yield();
}

static void *waiter(void *result)
{
	*(int *)result = wait_for('h', -1);
	return NULL;
}

static void *ask_often(void *wrong)
{
	for (int i = 0; i < 500; i++)
		if ((i % 2 ? wait_for('n', 10000) : request('n')) != 'n')
			atomic_fetch_add((_Atomic(int) *)wrong, 1);
	return NULL;
}

static void side_by_side(void)
{
	pthread_t threads[40];
	int results[40], right = 0;
	_Atomic(int) wrong = 0;

	ok(request('n') == 'n' && links == 1, "the first question opens a link");
	ok(ask_floor(LINK_FILES) == 1 && ask_floor(LINK_DNS) == 0, "what hello said is known");
	ok(link_paths().length == 5 && memcmp(link_paths().start, "table", 5) == 0, "its table too");
	for (int i = 0; i < 31; i++)
		pthread_create(&threads[i], NULL, waiter, &results[i]);
	until(&holding, 31);
	ok(request('n') == 'n' && links == 32, "31 slow questions do not hold up another");
	for (int i = 31; i < 40; i++)
		pthread_create(&threads[i], NULL, waiter, &results[i]);
	until(&holding, 32);
	ok(links == 32, "there are 32 links at most");
	until(&holding, 32);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < holding; i++)
		answer(held[i].fd, ORDER, held[i].id, (const unsigned char *)"h", 1);
	holding = 0;
	pthread_mutex_unlock(&lock);
	until(&holding, 8);
	request('r');
	for (int i = 0; i < 40; i++) {
		pthread_join(threads[i], NULL);
		right += results[i] == 'h';
	}
	ok(right == 40, "a thread that found none free came next");
	for (int i = 0; i < 40; i++)
		pthread_create(&threads[i], NULL, ask_often, &wrong);
	for (int i = 0; i < 40; i++)
		pthread_join(threads[i], NULL);
	ok(wrong == 0, "40 threads get 20000 answers of their own");
	ok(processes == 1 && ended == 0, "all for one process");
}

static _Atomic(int) handled, nested;

static void on_signal(int number)
{
	(void)number;
	if (!inside)
		nested = request('n');
	handled++;
}

static void handle(int flags, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
}

static _Atomic(int) left;

/* Until the wait was left, or, when it is not to be, until the handler ran three times in it. */
static void *interrupt(void *thread)
{
	int before = handled;

	until(&holding, 1);
	while (!left && handled < before + 3) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void *interrupt_and_answer(void *thread)
{
	interrupt(thread);
	request('r');
	return NULL;
}

static void *interrupt_until_left(void *thread)
{
	while (!left)
		interrupt(thread);
	request('r');
	return NULL;
}

static int interrupted_wait(int flags, int timeout, void *(*interrupter)(void *))
{
	pthread_t self = pthread_self(), other;
	int status;

	left = 0;
	handle(flags, on_signal);
	pthread_create(&other, NULL, interrupter, &self);
	status = wait_for('h', timeout);
	left = 1;
	pthread_join(other, NULL);
	return status;
}

static void signals(void)
{
	ok(interrupted_wait(0, -1, interrupt_until_left) == -EINTR, "a handler without SA_RESTART ends the wait");
	ok(nested == 'n', "a handler asks over another link");
	ok(interrupted_wait(SA_RESTART, -1, interrupt_and_answer) == 'h', "one with SA_RESTART does not");
	ok(interrupted_wait(SA_RESTART, 60000, interrupt_until_left) == -EINTR, "but does where there is a timeout");
	ok(request('n') == 'n', "late answers are passed over");
	ok(wait_for('h', 0) == -ETIMEDOUT && wait_for('h', 10) == -ETIMEDOUT, "a wait times out");
	ok(request('n') == 'n' && wait_for('n', -1) == 'n', "and the next question gets its own answer");
	request('r');
	ok(ended == 0 && links == 32, "no link was closed for it");
}

static sigjmp_buf back;

static void jump(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static pthread_t jumper;

static void *alarm_later(void *held_then)
{
	until(&held_ever, *(int *)held_then);
	pthread_kill(jumper, SIGUSR1);
	return NULL;
}

static void jumps(void)
{
	static int jumped, i, then;
	pthread_t other;

	jumper = pthread_self();
	handle(0, jump);
	for (i = 0; i < 40; i++) {
		then = held_ever + 1;
		pthread_create(&other, NULL, alarm_later, &then);
		if (sigsetjmp(back, 1) == 0)
			wait_for('h', -1);
		else
			jumped++;
		pthread_join(other, NULL);
	}
	ok(jumped == 40 && request('n') == 'n', "a thread that jumps out of handlers leaves enough links for the next");
	ok(processes == 1, "and stays the same process");
	request('r');
}

static void forked(void)
{
	link_forked();
}

static void *fork_often(void *wrong)
{
	int status;

	for (int i = 0; i < 40; i++) {
		pid_t child;

		if (request('n') != 'n')
			atomic_fetch_add((_Atomic(int) *)wrong, 1);
		child = fork();
		if (child == 0)
			_exit(request('n') == 'n' && wait_for('n', 60000) == 'n' ? 0 : 1);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			atomic_fetch_add((_Atomic(int) *)wrong, 1);
	}
	return NULL;
}

static void forks(void)
{
	pthread_t threads[16];
	_Atomic(int) wrong = 0;
	int before = links;

	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, fork_often, &wrong);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	ok(wrong == 0, "640 children, forked by 16 threads that ask, ask for themselves");
	until(&ended, links - 32);
	ok(links - before == 640 && ended == links - 32, "each over one link, which ends with it");
}

int main(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	pthread_t session;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status;

	snprintf(path, sizeof(path), "%s/socket", mkdtemp(folder));
	memcpy(name.sun_path, path, strlen(path) + 1);
	bind(listener, (struct sockaddr *)&name, sizeof(name));
	listen(listener, MOST);
	setvbuf(stdout, NULL, _IOLBF, 0);
	link_start();
	ask_set_inside = set_inside;
	sys_at_fork(link_forking, link_forked_parent, forked);
	pthread_create(&session, NULL, serve, (void *)(intptr_t)listener);
	side_by_side();
	signals();
	jumps();
	forks();
	status = tap_end();
	unlink(path);
	rmdir(folder);
	return status;
}
