/*
 * The registry: descriptor → what the session answered about the object behind it. Called by the other ops;
 * shared by all threads without a lock. A table of slots holds the number of a note; notes are shared by the
 * descriptors of one object and counted. Both tables are reserved address space and take memory only where
 * touched; free notes form a stack, so that the memory of those used once is used again.
 * The invariant: a note is used only after its identity was compared with the object that the descriptor has
 * now, since an app can close one where no hook sees it (fclose, a raw system call).
 */
#include <stdatomic.h>
#include <stddef.h>

#include "fds.h"

/* fs.nr_open of Linux, and as many noted objects as a process plausibly has; beyond it nothing is noted. */
#define SLOTS (1u << 20)
#define NOTES (1u << 17)
/* How often a reader waits for a writer, which may be a thread that a fork left behind in the parent. */
#define PATIENCE 100000

struct note {
	_Atomic(uint32_t) descriptors; /* slots that name it; 0 = free */
	_Atomic(uint32_t) version; /* odd while it is written */
	_Atomic(uint32_t) below; /* the next free note */
	struct fds_note content;
};

struct registry {
	_Atomic(uint32_t) slots[SLOTS]; /* number of a note, 0 = none */
	struct note notes[NOTES]; /* notes[0] is not used */
};

static _Atomic(struct registry *) registry;
static _Atomic(uint32_t) noted_below; /* no slot from here on was ever filled */
static _Atomic(uint32_t) used_below = 1; /* no note from here on was ever used */
/*
 * Top of the stack of free notes; above it a count of changes, without which a note that left and came back
 * would pass for one that stayed.
 */
static _Atomic(uint64_t) free_notes;

void (*fds_lost)(const struct fds_note *note);

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

bool fds_seems(int fd, enum fds_state state)
{
	struct registry *here = atomic_load_explicit(&registry, memory_order_acquire);
	uint32_t number = slot_of(here, fd);

	return number && here->notes[number].content.state == state;
}

static void read_note(struct note *note, struct fds_note *into)
{
	uint32_t before;

	for (int i = 0; i < PATIENCE; i++) {
		before = atomic_load(&note->version);
		*into = note->content;
		atomic_thread_fence(memory_order_acquire);
		if (!(before & 1) && atomic_load(&note->version) == before)
			return;
	}
}

static void write_note(struct note *note, const struct fds_note *from)
{
	uint32_t version = atomic_load(&note->version) & ~1u;

	for (int i = 0; i < PATIENCE; i++, version &= ~1u)
		if (atomic_compare_exchange_weak(&note->version, &version, version | 1))
			break;
	atomic_thread_fence(memory_order_release);
	note->content = *from;
	atomic_store(&note->version, (version | 1) + 1);
}

static uint32_t take_note(struct registry *here)
{
	uint64_t top = atomic_load(&free_notes), next;
	uint32_t number;

	while ((number = (uint32_t)top) != 0) {
		next = ((top >> 32) + 1) << 32 | atomic_load(&here->notes[number].below);
		if (atomic_compare_exchange_weak(&free_notes, &top, next))
			return number;
	}
	number = atomic_load(&used_below);
	while (number < NOTES)
		if (atomic_compare_exchange_weak(&used_below, &number, number + 1))
			return number;
	return 0;
}

/* One descriptor less; true when it was the last. */
static bool release(struct registry *here, uint32_t number)
{
	uint64_t top = atomic_load(&free_notes), next;

	if (!number || atomic_fetch_sub(&here->notes[number].descriptors, 1) != 1)
		return false;
	do {
		atomic_store(&here->notes[number].below, (uint32_t)top);
		next = ((top >> 32) + 1) << 32 | number;
	} while (!atomic_compare_exchange_weak(&free_notes, &top, next));
	return true;
}

/* Releases a note whose descriptor was closed where no hook sees it. */
static void forget(struct registry *here, uint32_t number)
{
	struct fds_note note;

	if (!number)
		return;
	read_note(&here->notes[number], &note);
	if (release(here, number) && fds_lost && note.state != FDS_LISTENER)
		fds_lost(&note);
}

static uint32_t exchange_slot(struct registry *here, int fd, uint32_t number)
{
	uint32_t below = atomic_load(&noted_below);

	while (number && below <= (uint32_t)fd)
		if (atomic_compare_exchange_weak(&noted_below, &below, (uint32_t)fd + 1))
			break;
	return atomic_exchange(&here->slots[fd], number);
}

/* The number of the note of `fd`, copied to `note`; 0 = none. */
static uint32_t look_up(struct registry *here, int fd, struct fds_note *note)
{
	uint32_t number = slot_of(here, fd);

	if (!number)
		return 0;
	read_note(&here->notes[number], note);
	if (sys_is(fd, &note->identity) && slot_of(here, fd) == number)
		return number;
	if (atomic_compare_exchange_strong(&here->slots[fd], &number, 0))
		forget(here, number);
	return 0;
}

/* What was found in the handle, or nothing. */
static bool found(struct fds_handle *handle, int fd, uint32_t number)
{
	handle->fd = fd;
	handle->number = number;
	handle->identity = number ? handle->note.identity : (struct sys_identity){ 0 };
	if (!number)
		handle->note.state = FDS_LOCAL;
	return number != 0;
}

bool fds_find(int fd, struct fds_handle *handle)
{
	return found(handle, fd, look_up(atomic_load(&registry), fd, &handle->note));
}

static bool is_object(const struct sys_identity *one, const struct sys_identity *other)
{
	return one->device == other->device && one->number == other->number;
}

bool fds_find_object(int fd, struct fds_handle *handle)
{
	struct registry *here = atomic_load(&registry);
	uint32_t below = here ? atomic_load(&used_below) : 0;
	struct sys_identity wanted;

	if (sys_identity(fd, &wanted) < 0)
		below = 0;
	for (uint32_t number = 1; number < below; number++) {
		if (atomic_load(&here->notes[number].descriptors) == 0)
			continue;
		read_note(&here->notes[number], &handle->note);
		if (is_object(&handle->note.identity, &wanted))
			return found(handle, fd, number);
	}
	return found(handle, fd, 0);
}

/* Notes it for `fd`; the note's number, 0 = the tables are full. */
static uint32_t note_anew(int fd, const struct fds_note *note)
{
	struct registry *here = reserve();
	uint32_t number;

	if (!here || fd < 0 || (unsigned int)fd >= SLOTS)
		return 0;
	number = take_note(here);
	if (number) {
		write_note(&here->notes[number], note);
		atomic_store(&here->notes[number].descriptors, 1);
	}
	forget(here, exchange_slot(here, fd, number));
	return number;
}

void fds_put(int fd, struct fds_note *note)
{
	if (sys_identity(fd, &note->identity) == 0)
		note_anew(fd, note);
}

void fds_renew(struct fds_handle *handle)
{
	const struct sys_identity *known = &handle->identity;

	if (!known->device && !known->number && sys_identity(handle->fd, &handle->identity) < 0)
		return;
	handle->note.identity = handle->identity;
	handle->number = note_anew(handle->fd, &handle->note);
}

bool fds_save(struct fds_handle *handle)
{
	struct registry *here = atomic_load(&registry);
	struct fds_note old;

	if (!handle->number)
		return false;
	read_note(&here->notes[handle->number], &old);
	if (!is_object(&old.identity, &handle->identity))
		return false;
	handle->note.identity = handle->identity;
	write_note(&here->notes[handle->number], &handle->note);
	return true;
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
typedef bool (*note_test)(const struct fds_note *note, const void *wanted);

static bool search(int except, note_test fits, const void *wanted, struct fds_note *found)
{
	struct registry *here = atomic_load(&registry);

	for (int fd = fds_next(0, SLOTS); fd >= 0; fd = fds_next((unsigned int)fd + 1, SLOTS)) {
		if (fd == except)
			continue;
		read_note(&here->notes[slot_of(here, fd)], found);
		if (fits(found, wanted) && look_up(here, fd, found))
			return true;
	}
	return false;
}

static bool same_object(const struct fds_note *note, const void *identity)
{
	return is_object(&note->identity, identity);
}

static bool in_state(const struct fds_note *note, const void *state)
{
	return note->state == *(const enum fds_state *)state;
}

static bool overlaps(const struct fds_note *note, const void *wanted)
{
	const struct fds_note *socket = wanted;

	if ((note->state != FDS_BOUND && note->state != FDS_LISTENER) || (note->flags ^ socket->flags) & FDS_DATAGRAMS)
		return false;
	/* IPV6_V6ONLY of either parts the families. */
	if ((note->flags | socket->flags) & FDS_ONLY6 &&
	    address_to_wire(&note->asked).family != address_to_wire(&socket->asked).family)
		return false;
	return address_overlaps(&note->asked, &socket->asked);
}

/* Takes `number` from `fd` and copies its note; see fds_drop(). */
static bool drop(struct registry *here, int fd, uint32_t number, struct fds_note *note)
{
	struct fds_note other;
	bool last;

	if (!number || !atomic_compare_exchange_strong(&here->slots[fd], &number, 0))
		return false;
	read_note(&here->notes[number], note);
	last = release(here, number);
	switch (note->state) {
	case FDS_LISTENER: /* it may have been noted twice: here, and where it was handed to */
		return !search(fd, same_object, &note->identity, &other);
	case FDS_CONNECTING:
	case FDS_CONNECTED:
	case FDS_DATAGRAM:
	case FDS_FILE:
		return last;
	default:
		return false;
	}
}

bool fds_drop(int fd, struct fds_note *note)
{
	struct registry *here = atomic_load(&registry);

	return drop(here, fd, slot_of(here, fd), note);
}

bool fds_forget(struct fds_handle *handle)
{
	bool last = drop(atomic_load(&registry), handle->fd, handle->number, &handle->note);

	handle->number = 0;
	return last;
}

void fds_copy(int from, int to)
{
	struct registry *here = atomic_load(&registry);
	uint32_t number = slot_of(here, from), descriptors;

	if (!number || to < 0 || (unsigned int)to >= SLOTS)
		return;
	/* Never from 0: `from` was closed meanwhile, and another thread takes the note. */
	descriptors = atomic_load(&here->notes[number].descriptors);
	do {
		if (descriptors == 0)
			return;
	} while (!atomic_compare_exchange_weak(&here->notes[number].descriptors, &descriptors, descriptors + 1));
	forget(here, exchange_slot(here, to, number));
}

bool fds_any(enum fds_state state)
{
	struct fds_note found;

	return search(-1, in_state, &state, &found);
}

bool fds_find_asked(int fd, const struct fds_note *socket, struct fds_note *found)
{
	return search(fd, overlaps, socket, found);
}
