/*
 * Asynchronous look-ups: the requests of getaddrinfo_a(3), the threads that look them up, as many at a time
 * as libc's, and the threads that wait for them. libc's threads would look hosts up by its own getaddrinfo,
 * past the hook. gai_error(3) stays libc's: it reads the status in the request. Called by hooks_dns_glibc.c.
 * The invariants: a request is in the queue from its call until its status is written, under the lock; a
 * batch is freed by the thread that sees its last request end. The queue is the process's own: a fork child
 * begins with an empty one, since it has no threads (pthreads(7)).
 */
#include <errno.h>
#include <stdatomic.h>

#include "../../hooks.h"
#include "../../sys/sys.h"
#include "../../sys/threads.h"
#include "requests.h"

/* libc's own limit. */
#define MOST_THREADS 20

/* A request, from its call to its end. */
struct request {
	struct gaicb *block; /* the app's */
	struct batch *batch;
	struct request *next;
	bool running;
};

/* The requests of one call. */
struct batch {
	size_t bytes;
	size_t left;
	bool awaited; /* by its caller, which frees it */
	struct sigevent event;
	struct request requests[];
};

struct queue {
	_Atomic(uint32_t) lock;
	_Atomic(uint32_t) turns; /* another with each request that ends */
	size_t threads;
	struct request *first;
};

static _Atomic(struct queue *) queues;

/* The queue, made by the thread that needs it first; NULL without memory. */
static struct queue *queue_get(void)
{
	struct queue *queue = atomic_load(&queues), *none = NULL;

	if (queue)
		return queue;
	queue = sys_map(sizeof(*queue), true);
	if (!queue || atomic_compare_exchange_strong(&queues, &none, queue))
		return queue;
	sys_unmap(queue, sizeof(*queue));
	return none;
}

/* A handler of this thread might want the lock as well. */
static void take_lock(struct queue *queue, struct sys_signals *signals)
{
	sys_block_signals(signals);
	sys_lock(&queue->lock);
}

static void leave_lock(struct queue *queue, const struct sys_signals *signals)
{
	sys_unlock(&queue->lock);
	sys_restore_signals(signals);
}

static void set_status(struct gaicb *block, int status)
{
	__atomic_store_n(&block->__return, status, __ATOMIC_RELEASE);
}

static struct request **find(struct queue *queue, const struct gaicb *block)
{
	struct request **at = &queue->first;

	while (*at && (*at)->block != block)
		at = &(*at)->next;
	return at;
}

static void *call_back(void *context)
{
	struct sigevent event = *(struct sigevent *)context;

	sys_unmap(context, sizeof(event));
	sys_allow_signals();
	event.sigev_notify_function(event.sigev_value);
	return NULL;
}

/* All requests of a call have ended: notifies the app as it asked (sigevent(3type)). */
static void notify(const struct sigevent *event)
{
	struct sigevent *copy;

	if (event->sigev_notify == SIGEV_SIGNAL)
		sys_queue_signal(event->sigev_signo, event->sigev_value);
	if (event->sigev_notify != SIGEV_THREAD)
		return;
	copy = sys_map(sizeof(*copy), false);
	if (!copy)
		return;
	*copy = *event;
	if (sys_start_thread(call_back, copy, event->sigev_notify_attributes) < 0)
		sys_unmap(copy, sizeof(*copy));
}

/*
 * Takes the request out and writes its status. True: it was the last one, of a batch that nobody awaits.
 * Under the lock.
 */
static bool end(struct queue *queue, struct request **at, int status)
{
	struct request *request = *at;
	struct batch *batch = request->batch;

	*at = request->next;
	set_status(request->block, status);
	batch->left--;
	atomic_fetch_add(&queue->turns, 1);
	return batch->left == 0 && !batch->awaited;
}

/* After the lock: wakes the waiting threads, and frees a batch that is `over`. */
static void tell(struct queue *queue, struct batch *batch, bool over)
{
	sys_wake_all(&queue->turns);
	if (!over)
		return;
	notify(&batch->event);
	sys_unmap(batch, batch->bytes);
}

/* The next request that waits; with none the thread is counted out. */
static struct request *next_request(struct queue *queue)
{
	struct sys_signals signals;
	struct request *at;

	take_lock(queue, &signals);
	for (at = queue->first; at && at->running; at = at->next)
		;
	if (at)
		at->running = true;
	else
		queue->threads--;
	leave_lock(queue, &signals);
	return at;
}

/* The request that the thread was started for, and then whichever waits. */
static void *work(void *context)
{
	struct queue *queue = queue_get();
	struct request *request = context;
	struct sys_signals signals;

	sys_shun_signals();
	do {
		struct gaicb *block = request->block;
		struct batch *batch = request->batch;
		int status = layer_getaddrinfo(block->ar_name, block->ar_service, block->ar_request, &block->ar_result);
		struct request **at = &queue->first;
		bool over;

		take_lock(queue, &signals);
		while (*at != request)
			at = &(*at)->next;
		over = end(queue, at, status);
		leave_lock(queue, &signals);
		tell(queue, batch, over);
	} while ((request = next_request(queue)));
	return NULL;
}

/* With no thread that could take them, the waiting requests have failed, and gai_error(3) reports it. */
static void give_up(struct queue *queue)
{
	for (;;) {
		struct request **at = &queue->first;
		struct batch *batch = NULL;
		struct sys_signals signals;
		bool over = false;

		take_lock(queue, &signals);
		while (*at && (*at)->running)
			at = &(*at)->next;
		if (*at && queue->threads == 0) {
			batch = (*at)->batch;
			over = end(queue, at, EAI_AGAIN);
		}
		leave_lock(queue, &signals);
		if (!batch)
			return;
		tell(queue, batch, over);
	}
}

/*
 * A thread for a request that is marked as running and counted; without one the request waits for another's.
 */
static void start_thread(struct queue *queue, struct request *request)
{
	struct sys_signals signals;
	int status;

	sys_block_signals(&signals);
	status = sys_start_thread(work, request, NULL);
	sys_restore_signals(&signals);
	if (status == 0)
		return;
	take_lock(queue, &signals);
	request->running = false;
	queue->threads--;
	leave_lock(queue, &signals);
	give_up(queue);
}

/* Puts the batch into the queue, after which it is not the caller's any more unless it is awaited. */
static void put(struct queue *queue, struct batch *batch)
{
	struct request **at = &queue->first;
	struct sys_signals signals;
	size_t wanted = MOST_THREADS;

	take_lock(queue, &signals);
	while (*at)
		at = &(*at)->next;
	wanted -= queue->threads;
	if (wanted > batch->left)
		wanted = batch->left;
	queue->threads += wanted;
	for (size_t i = 0; i < batch->left; i++) {
		batch->requests[i].running = i < wanted;
		set_status(batch->requests[i].block, EAI_INPROGRESS);
		*at = &batch->requests[i];
		at = &batch->requests[i].next;
	}
	leave_lock(queue, &signals);
	for (size_t i = 0; i < wanted; i++)
		start_thread(queue, &batch->requests[i]);
}

static void await(struct queue *queue, const struct batch *batch)
{
	struct sys_signals signals;

	for (;;) {
		uint32_t seen;
		size_t left;

		take_lock(queue, &signals);
		left = batch->left;
		seen = atomic_load(&queue->turns);
		leave_lock(queue, &signals);
		if (left == 0)
			return;
		sys_wait_word(&queue->turns, seen, -1);
	}
}

static struct batch *make_batch(struct gaicb **list, int count)
{
	size_t bytes = sizeof(struct batch) + (size_t)(count > 0 ? count : 0) * sizeof(struct request);
	struct batch *batch = sys_map(bytes, false);

	if (!batch)
		return NULL;
	batch->bytes = bytes;
	for (int i = 0; i < count; i++)
		if (list[i])
			batch->requests[batch->left++] = (struct request){ .block = list[i], .batch = batch };
	return batch;
}

int requests_make(struct gaicb **list, int count, bool awaited, const struct sigevent *event)
{
	struct queue *queue = queue_get();
	struct batch *batch = queue ? make_batch(list, count) : NULL;
	bool empty;

	if (!batch)
		return EAI_MEMORY;
	batch->awaited = awaited;
	batch->event.sigev_notify = SIGEV_NONE;
	if (event)
		batch->event = *event;
	empty = batch->left == 0;
	if (!empty)
		put(queue, batch);
	if (!empty && awaited)
		await(queue, batch);
	if (empty && !awaited)
		notify(&batch->event);
	if (empty || awaited)
		sys_unmap(batch, batch->bytes);
	return 0;
}

bool requests_know(const struct gaicb *block)
{
	struct queue *queue = queue_get();
	struct sys_signals signals;
	bool known;

	if (!queue)
		return false;
	take_lock(queue, &signals);
	known = *find(queue, block) != NULL;
	leave_lock(queue, &signals);
	return known;
}

uint32_t requests_turn(void)
{
	struct queue *queue = queue_get();

	return queue ? atomic_load(&queue->turns) : 0;
}

int requests_await(uint32_t seen, int64_t timeout)
{
	struct queue *queue = queue_get();

	return queue ? sys_wait_word(&queue->turns, seen, timeout) : -EINTR;
}

int requests_cancel(struct gaicb *block)
{
	struct queue *queue = queue_get();
	struct sys_signals signals;
	struct request **at;
	struct batch *batch = NULL;
	int status = EAI_ALLDONE;
	bool over = false;

	if (!queue)
		return status;
	take_lock(queue, &signals);
	at = find(queue, block);
	if (*at && (*at)->running) {
		status = EAI_NOTCANCELED;
	} else if (*at) {
		status = EAI_CANCELED;
		batch = (*at)->batch;
		over = end(queue, at, EAI_CANCELED);
	}
	leave_lock(queue, &signals);
	if (batch)
		tell(queue, batch, over);
	return status;
}
