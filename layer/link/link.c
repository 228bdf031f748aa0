/*
 * The links of this process: opened when they are needed, taken by one thread at a time, kept. Called by
 * ask.c, which has the theory of operation; also entered by fork and by the guard of descriptors.
 * The invariant: a lock is held with signals blocked, and only raw system calls are made under it.
 */
#include <stdatomic.h>

#include "config.h"
#include "link.h"
#include "way.h"

#define LINKS 32
#define LOOK_AGAIN_MS 20

struct pool {
	_Atomic(pid_t) owner; /* 0: not owned yet, take it */
	_Atomic(uint32_t) opening; /* held while a descriptor is made and not yet noted, and over fork */
	_Atomic(uint32_t) released; /* counts, for the threads that wait */
	_Atomic(uint32_t) waiting;
	_Atomic(uint64_t) process; /* tells this process from every other of the session */
	_Atomic(bool) lost;
	struct greeting greeting;
	struct link links[LINKS];
};

/* Zeroed by the kernel in a fork child. */
static struct pool *pool;
/* The rest is ordinary memory, which a fork child inherits: its parent's descriptors, and memory to reuse. */
static struct {
	_Atomic(int) fd; /* plus one */
	uint64_t identity;
} inherited[LINKS];
static _Atomic(unsigned char *) scratch;
/* Links lie in [lowest, highest), whatever process they belonged to. */
static _Atomic(int) lowest = 1 << 30, highest;

bool link_start(void)
{
	pool = sys_map(sizeof(*pool), true);
	if (!pool)
		return false;
	atomic_store(&pool->owner, sys_getpid());
	return true;
}

static bool is_socket(int fd, uint64_t identity)
{
	struct sys_identity ours = { .device = 0, .number = identity };

	return fd >= 0 && sys_is(fd, &ours);
}

/* The parent must see its links end when it closes them, so no child keeps a copy. Were there any? */
static bool close_inherited(void)
{
	bool any = false;
	int fd;

	for (int i = 0; i < LINKS; i++) {
		fd = atomic_exchange(&inherited[i].fd, 0) - 1;
		any = any || fd >= 0;
		if (fd >= 0 && is_socket(fd, inherited[i].identity))
			sys_close(fd);
	}
	return any;
}

void link_forking(void)
{
	sys_lock(&pool->opening);
}

void link_forked_parent(void)
{
	sys_unlock(&pool->opening);
}

bool link_forked(void)
{
	memset(pool, 0, sizeof(*pool));
	atomic_store(&pool->owner, sys_getpid());
	return close_inherited();
}

bool link_owns(void)
{
	pid_t self = sys_getpid(), nobody = 0;

	if (atomic_load(&pool->owner) == self)
		return true;
	if (!atomic_compare_exchange_strong(&pool->owner, &nobody, self))
		return nobody == self;
	close_inherited();
	return true;
}

unsigned char *pool_scratch(const struct link *link)
{
	const size_t each = (WIRE_HEADER_BYTES + WIRE_MAX_PAYLOAD + 4095) / 4096 * 4096;
	unsigned char *ours = atomic_load(&scratch), *none = NULL;

	if (!ours) {
		ours = sys_map(each * LINKS, true);
		if (!ours)
			return NULL;
		if (!atomic_compare_exchange_strong(&scratch, &none, ours)) {
			sys_unmap(ours, each * LINKS);
			ours = none;
		}
	}
	return ours + each * (size_t)(link - pool->links);
}

/* `fd` (-1: none) is the link's from now on. */
static void use_descriptor(struct link *link, int fd)
{
	struct sys_identity found = { 0, 0 };
	size_t i = (size_t)(link - pool->links);
	int seen;

	atomic_store(&inherited[i].fd, 0);
	if (fd >= 0)
		sys_identity(fd, &found);
	link->identity = inherited[i].identity = found.number;
	for (seen = atomic_load(&lowest); fd >= 0 && fd < seen;)
		if (atomic_compare_exchange_weak(&lowest, &seen, fd))
			break;
	for (seen = atomic_load(&highest); fd >= seen;)
		if (atomic_compare_exchange_weak(&highest, &seen, fd + 1))
			break;
	atomic_store(&inherited[i].fd, fd + 1);
	atomic_store(&link->number, fd + 1);
}

/* Closes the link; whether the socket was still there. */
static bool drop(struct link *link)
{
	int fd = exchange_fd(link);
	bool there = is_socket(fd, link->identity);

	use_descriptor(link, -1);
	link->abandoned = false;
	if (there)
		sys_close(fd);
	return there;
}

int pool_lose(struct link *link)
{
	if (drop(link))
		atomic_store(&pool->lost, true);
	return -EIO;
}

bool link_is_open(void)
{
	for (int i = 0; i < LINKS; i++)
		if (atomic_load(&pool->links[i].number) > 0)
			return true;
	return false;
}

/* Connects `link` and sends hello. Lock held. -EAGAIN: no connection, but there are others to wait for. */
static int open_link(struct link *link)
{
	uint64_t process = 0;
	int fd;

	sys_lock(&pool->opening);
	fd = way_connect(config_socket());
	if (fd >= 0)
		use_descriptor(link, fd);
	sys_unlock(&pool->opening);
	if (fd < 0 && link_is_open())
		return -EAGAIN; /* for example, out of descriptors */
	if (fd < 0) {
		atomic_store(&pool->lost, true);
		return -EIO;
	}
	/* The socket cookie is never used twice (socket(7)), unlike a process id. */
	if (atomic_compare_exchange_strong(&pool->process, &process, link->identity))
		process = link->identity;
	link->last_id = 0;
	return hello_say(link, pool_scratch(link), process, &pool->greeting) != 0 ? pool_lose(link) : 0;
}

/* `link`, locked now, is to be open and idle: 0, -EAGAIN when it cannot be made so, -EIO. */
static int ready(struct link *link)
{
	int fd = exchange_fd(link);

	if (fd >= 0 && !is_socket(fd, link->identity)) {
		drop(link);
		fd = -1;
	}
	if (fd < 0)
		return open_link(link);
	if (!link->abandoned)
		return 0;
	if (sys_await_bytes(fd, 0, NULL) == 0)
		return -EAGAIN;
	/* The late answer, which may have been a refusal. */
	if (exchange_receive(link, pool_scratch(link), NULL) == EXCHANGE_LOST)
		return pool_lose(link);
	atomic_store(&link->abandoned, false);
	return 0;
}

enum wanted { IDLE, LATE, UNOPENED, ANY };

static bool fits(const struct link *link, enum wanted wanted)
{
	bool open = atomic_load(&link->number) > 0;

	switch (wanted) {
	case IDLE:
		return open && !link->abandoned;
	case LATE:
		return open && link->abandoned;
	default:
		return !open;
	}
}

/* Locks the first link that fits and can be made ready. 0, -EAGAIN, -EIO. */
static int try_links(enum wanted wanted, struct link **taken)
{
	int status;

	for (int i = 0; i < LINKS; i++) {
		struct link *link = &pool->links[i];

		if (!fits(link, wanted) || !sys_try_lock(&link->lock))
			continue;
		status = ready(link);
		if (status == 0)
			*taken = link;
		else
			pool_release(link);
		if (status != -EAGAIN || wanted == UNOPENED)
			return status;
	}
	return -EAGAIN;
}

/*
 * Makes room where all links wait for something: one that was left by its thread (it ended, or jumped out of
 * a signal handler, siglongjmp(3)), or otherwise the first whose answer no thread waits for, is closed. Never
 * the last one: the session would take that for the end of this process.
 */
static bool make_room(const struct asker *asker)
{
	pid_t self = sys_gettid(), waiter;
	bool made = false, full = true;

	for (int i = 0; i < LINKS; i++) {
		struct link *link = &pool->links[i];

		full = full && atomic_load(&link->number) > 0;
		waiter = atomic_load(&link->waiter);
		/* A wait of this thread that goes on lies above us: we are its signal handler. */
		if (waiter == 0 || (waiter == self ? link->frame > asker->frame || sys_on_signal_stack() :
						     sys_thread_lives(waiter)))
			continue;
		if (!atomic_compare_exchange_strong(&link->waiter, &waiter, 0))
			continue;
		link->abandoned = true;
		pool_release(link);
		made = true;
	}
	for (int i = 1; i < LINKS && full && !made; i++) {
		struct link *link = &pool->links[i];

		if (!fits(link, LATE) || !sys_try_lock(&link->lock))
			continue;
		made = link->abandoned && drop(link);
		pool_release(link);
	}
	return made;
}

static bool any_late(void)
{
	for (int i = 0; i < LINKS; i++)
		if (fits(&pool->links[i], LATE))
			return true;
	return false;
}

/* Until a link is released, or for a moment when a late answer may make one ready. 0, -EINTR, -ETIMEDOUT. */
static int await_release(const struct asker *asker, uint32_t seen)
{
	struct sys_signals blocked;
	int64_t left = asker->deadline < 0 ? -1 : asker->deadline - sys_now();
	int status;

	if (asker->deadline >= 0 && left <= 0)
		return -ETIMEDOUT;
	if (any_late() && (left < 0 || left > LOOK_AGAIN_MS))
		left = LOOK_AGAIN_MS;
	atomic_fetch_add(&pool->waiting, 1);
	if (asker->signals)
		sys_restore_signals(asker->signals);
	status = sys_wait_word(&pool->released, seen, left);
	if (asker->signals)
		sys_block_signals(&blocked);
	atomic_fetch_sub(&pool->waiting, 1);
	return status == -EINTR && asker->signals ? -EINTR : 0;
}

struct link *pool_take(const struct asker *asker, int *status)
{
	struct link *taken = NULL;
	uint32_t seen;

	for (*status = 0; *status == 0;) {
		if (atomic_load(&pool->lost)) {
			*status = -EIO;
			break;
		}
		seen = atomic_load(&pool->released);
		*status = -EAGAIN;
		for (int wanted = IDLE; wanted < ANY && *status == -EAGAIN; wanted++)
			*status = try_links((enum wanted)wanted, &taken);
		if (taken)
			break;
		if (*status == -EAGAIN)
			*status = make_room(asker) ? 0 : await_release(asker, seen);
	}
	return taken;
}

void pool_release(struct link *link)
{
	sys_unlock(&link->lock);
	atomic_fetch_add(&pool->released, 1);
	if (atomic_load(&pool->waiting) > 0)
		sys_wake_word(&pool->released);
}

bool pool_lost(void)
{
	return atomic_load(&pool->lost);
}

struct greeting *pool_greeting(void)
{
	return &pool->greeting;
}

bool link_holds(int fd)
{
	return fd >= atomic_load_explicit(&lowest, memory_order_relaxed) &&
	       fd < atomic_load_explicit(&highest, memory_order_relaxed) &&
	       link_next((unsigned int)fd, (unsigned int)fd) >= 0;
}

int link_next(unsigned int first, unsigned int last)
{
	unsigned int best = ~0u, fd;
	int number;

	for (int i = 0; pool && i < LINKS; i++) {
		number = atomic_load_explicit(&pool->links[i].number, memory_order_relaxed);
		fd = (unsigned int)number - 1;
		if (number > 0 && fd >= first && fd <= last && fd < best)
			best = fd;
	}
	return (int)best;
}

void link_yield(int fd)
{
	struct sys_signals signals;
	int moved;

	sys_block_signals(&signals);
	for (int i = 0; i < LINKS; i++) {
		struct link *link = &pool->links[i];

		if (exchange_fd(link) != fd)
			continue;
		sys_lock(&link->lock);
		if (exchange_fd(link) == fd && is_socket(fd, link->identity)) {
			sys_lock(&pool->opening);
			moved = sys_dup_high(fd);
			if (moved >= 0) {
				use_descriptor(link, moved);
				sys_close(fd);
			} else {
				pool_lose(link);
			}
			sys_unlock(&pool->opening);
		}
		pool_release(link);
	}
	sys_restore_signals(&signals);
}
