/*
 * The registry: descriptor → what the session said about its socket. Called by incoming.c and descriptors.c; shared
 * by all threads without a lock. A table of slots holds the number of a note; notes are shared by the descriptors of
 * one socket and counted. Both tables are reserved address space and take memory only where touched.
 * The invariant: a note is used only after its identity was compared with the socket that the descriptor has now, for
 * an app can close one where no hook sees it (fclose, a raw system call).
 */
#include <stdatomic.h>
#include <stddef.h>

#include "../sys.h"
#include "fds.h"

/* fs.nr_open of Linux, and as many sockets of ours as a process plausibly has; beyond it nothing is noted. */
#define SLOTS (1u << 20)
#define NOTES (1u << 16)

struct note {
	_Atomic(uint32_t) descriptors; /* slots that name it; 0 = free */
	_Atomic(int) state;
	struct fds_socket socket;
};

struct registry {
	_Atomic(uint32_t) slots[SLOTS]; /* number of a note, 0 = none */
	struct note notes[NOTES]; /* notes[0] is not used */
};

static _Atomic(struct registry *) registry;
static _Atomic(uint32_t) noted_below; /* no slot from here on was ever filled */
static _Atomic(uint32_t) hint; /* where the search for a free note begins */

static struct registry *reserve(void)
{
	struct registry *ours = atomic_load(&registry), *none = NULL;

	if (ours)
		return ours;
	ours = sys_map(sizeof(*ours), false);
	/* Of two threads that come first, the slower one leaves its empty mapping behind. */
	if (ours && !atomic_compare_exchange_strong(&registry, &none, ours))
		ours = none;
	return ours;
}

static uint32_t slot_of(const struct registry *here, int fd)
{
	if (!here || fd < 0 || (unsigned int)fd >= SLOTS)
		return 0;
	return atomic_load_explicit(&here->slots[fd], memory_order_acquire);
}

bool fds_has(int fd)
{
	return slot_of(atomic_load_explicit(&registry, memory_order_acquire), fd) != 0;
}

static void read_note(struct note *note, struct fds_socket *into)
{
	*into = note->socket;
	into->state = (enum fds_state)atomic_load(&note->state);
}

static void release(struct registry *here, uint32_t number)
{
	if (number)
		atomic_fetch_sub(&here->notes[number].descriptors, 1);
}

static uint32_t exchange_slot(struct registry *here, int fd, uint32_t number)
{
	uint32_t below = atomic_load(&noted_below);

	while (number && below <= (uint32_t)fd)
		if (atomic_compare_exchange_weak(&noted_below, &below, (uint32_t)fd + 1))
			break;
	return atomic_exchange(&here->slots[fd], number);
}

bool fds_get(int fd, struct fds_socket *socket)
{
	struct registry *here = atomic_load(&registry);
	uint32_t number = slot_of(here, fd);
	uint64_t identity;

	if (!number)
		return false;
	read_note(&here->notes[number], socket);
	if (sys_socket_identity(fd, &identity) == 0 && identity == socket->identity && slot_of(here, fd) == number)
		return true;
	if (atomic_compare_exchange_strong(&here->slots[fd], &number, 0))
		release(here, number);
	return false;
}

static uint32_t take_note(struct registry *here)
{
	uint32_t start = atomic_load(&hint), free_note;

	for (uint32_t i = 0; i < NOTES; i++) {
		uint32_t number = (start + i) % NOTES;

		free_note = 0;
		if (number && atomic_compare_exchange_strong(&here->notes[number].descriptors, &free_note, 1)) {
			atomic_store(&hint, number);
			return number;
		}
	}
	return 0;
}

void fds_put(int fd, struct fds_socket *socket)
{
	struct registry *here = reserve();
	uint32_t number;

	if (!here || fd < 0 || (unsigned int)fd >= SLOTS || sys_socket_identity(fd, &socket->identity) < 0)
		return;
	number = take_note(here);
	if (number) {
		here->notes[number].socket = *socket;
		atomic_store(&here->notes[number].state, (int)socket->state);
	}
	release(here, exchange_slot(here, fd, number));
}

void fds_listening(int fd)
{
	struct registry *here = atomic_load(&registry);
	uint32_t number = slot_of(here, fd);

	if (number)
		atomic_store(&here->notes[number].state, FDS_LISTENER);
}

int fds_next(unsigned int first, unsigned int last)
{
	struct registry *here = atomic_load(&registry);
	uint32_t below = atomic_load(&noted_below);

	if (!here)
		return -1;
	for (unsigned int fd = first; fd < below && fd <= last; fd++)
		if (slot_of(here, (int)fd))
			return (int)fd;
	return -1;
}

/* The first note for which `fits`, other than that of `except`; copied. */
typedef bool (*note_test)(const struct fds_socket *socket, const void *wanted);

static bool search(int except, note_test fits, const void *wanted, struct fds_socket *found)
{
	struct registry *here = atomic_load(&registry);

	for (int fd = fds_next(0, SLOTS); fd >= 0; fd = fds_next((unsigned int)fd + 1, SLOTS)) {
		if (fd == except)
			continue;
		read_note(&here->notes[slot_of(here, fd)], found);
		if (fits(found, wanted) && fds_get(fd, found))
			return true;
	}
	return false;
}

static bool same_socket(const struct fds_socket *socket, const void *identity)
{
	return socket->identity == *(const uint64_t *)identity;
}

static bool in_state(const struct fds_socket *socket, const void *state)
{
	return socket->state == *(const enum fds_state *)state;
}

static bool overlaps(const struct fds_socket *socket, const void *asked)
{
	return (socket->state == FDS_BOUND || socket->state == FDS_LISTENER) &&
	       address_overlaps(&socket->asked, asked);
}

bool fds_drop(int fd, struct fds_socket *listener)
{
	struct registry *here = atomic_load(&registry);
	struct fds_socket other;
	uint32_t number = slot_of(here, fd);

	if (!number || !atomic_compare_exchange_strong(&here->slots[fd], &number, 0))
		return false;
	read_note(&here->notes[number], listener);
	release(here, number);
	return listener->state == FDS_LISTENER && !search(fd, same_socket, &listener->identity, &other);
}

void fds_copy(int from, int to)
{
	struct registry *here = atomic_load(&registry);
	uint32_t number = slot_of(here, from);

	if (!number || to < 0 || (unsigned int)to >= SLOTS)
		return;
	atomic_fetch_add(&here->notes[number].descriptors, 1);
	release(here, exchange_slot(here, to, number));
}

bool fds_any(enum fds_state state)
{
	struct fds_socket found;

	return search(-1, in_state, &state, &found);
}

bool fds_find_asked(int fd, const union name *asked, struct fds_socket *found)
{
	return search(fd, overlaps, asked, found);
}
