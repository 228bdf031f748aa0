/*
 * The calls that make and end descriptors: close and its relatives, dup and its relatives. They keep the registry
 * (fds.c) true and the link's own descriptor out of the app's way. Called by preload/.
 * The invariant: a descriptor is forgotten before it is closed, for its number may be another thread's the moment
 * after. Ranges are the exception: what another thread opens meanwhile is forgotten too, and asked about again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../way.h"
#include "descriptors.h"
#include "files.h"
#include "outgoing.h"

/* linux/close_range.h, which old systems lack */
#define RANGE_CLOEXEC 4u
#define ALL_FDS (~0u)

/* Is `fd` the layer's own? */
static bool held(int fd)
{
	return link_holds(fd) || (fd >= 0 && fd == way_descriptor());
}

/* The lowest descriptor in [first, last] that is, or -1. */
static int next_held(unsigned int first, unsigned int last)
{
	unsigned int link = (unsigned int)link_next(first, last), way = (unsigned int)way_descriptor();

	return (int)(way >= first && way <= last && way < link ? way : link);
}

static void yield_number(int fd)
{
	link_yield(fd);
	way_yield(fd);
}

/* Is there nothing of ours about `fd`? The common case, and no system call. */
static bool is_foreign(int fd)
{
	return !fds_has(fd) && !held(fd);
}

void descriptors_ended(const struct fds_note *note)
{
	struct wire_closed message;

	switch (note->state) {
	case FDS_LISTENER:
		message.actual = address_to_wire(&note->actual);
		link_closed(&message);
		break;
	case FDS_CONNECTING:
	case FDS_CONNECTED:
	case FDS_DATAGRAM:
		outgoing_ended(note);
		break;
	default:
		break;
	}
}

int layer_close(int fd)
{
	struct fds_note note;
	int saved, result = 0;
	bool last;

	if (is_foreign(fd) || !guard_enter(&saved))
		return next_close(fd);
	/* Programs close every number there may be; ours looks closed to them. */
	if (held(fd))
		goto out;
	last = fds_drop(fd, &note);
	result = next_close(fd) < 0 ? -errno : 0;
	if (last && result == 0)
		descriptors_ended(&note);
out:
	return guard_leave(saved, result);
}

/* `to` is now another descriptor of `from`'s socket, and no longer what it was. */
static void follow(int from, int to)
{
	struct fds_note note;
	bool last = fds_drop(to, &note);

	fds_copy(from, to);
	if (last)
		descriptors_ended(&note);
}

int layer_dup(int fd)
{
	int saved, copy = next_dup(fd);

	if (copy >= 0 && (fds_has(fd) || fds_has(copy)) && guard_enter(&saved)) {
		follow(fd, copy);
		guard_leave(saved, 0);
	}
	return copy;
}

int layer_dup2(int from, int to)
{
	int saved, result;

	if (from == to || (!fds_has(from) && is_foreign(to)) || !guard_enter(&saved))
		return next_dup2(from, to);
	if (held(to))
		yield_number(to);
	result = next_dup2(from, to);
	if (result < 0)
		result = -errno;
	else
		follow(from, to);
	return guard_leave(saved, result);
}

int layer_dup3(int from, int to, int flags)
{
	int saved, result;

	if (from == to || (!fds_has(from) && is_foreign(to)) || !guard_enter(&saved))
		return next_dup3(from, to, flags);
	if (held(to))
		yield_number(to);
	result = next_dup3(from, to, flags);
	if (result < 0)
		result = -errno;
	else
		follow(from, to);
	return guard_leave(saved, result);
}

typedef int (*fcntl_call)(int fd, int command, long argument);

static int control(fcntl_call next, int fd, int command, long argument)
{
	int saved, result;

	/* Some programs clear close-on-exec on every number before they exec: the link must not get there. */
	if (command == F_SETFD && held(fd) && guard_active() && link_owns())
		return 0;
	if (files_control(fd, command, argument, &result))
		return result;
	result = next(fd, command, argument);
	if (result < 0 || (command != F_DUPFD && command != F_DUPFD_CLOEXEC))
		return result;
	if ((fds_has(fd) || fds_has(result)) && guard_enter(&saved)) {
		follow(fd, result);
		guard_leave(saved, 0);
	}
	return result;
}

int layer_fcntl(int fd, int command, long argument)
{
	return control(next_fcntl, fd, command, argument);
}

int layer_fcntl64(int fd, int command, long argument)
{
	return control(next_fcntl64, fd, command, argument);
}

/* Forgets every descriptor of the range; whoever waits for its end hears of it. */
static void forget(unsigned int first, unsigned int last)
{
	struct fds_note note;

	for (int fd = fds_next(first, last); fd >= 0; fd = fds_next((unsigned int)fd + 1, last))
		if (fds_drop(fd, &note))
			descriptors_ended(&note);
}

/* The range is closed in parts, so that the links between them stay. */
static int close_around(unsigned int first, unsigned int last, int flags)
{
	unsigned int link;
	int result = 0;

	for (; result == 0 && first <= last; first = link + 1) {
		link = (unsigned int)next_held(first, last);
		if (link == ALL_FDS)
			return next_close_range(first, last, flags) < 0 ? -errno : 0;
		if (link > first)
			result = next_close_range(first, link - 1, flags) < 0 ? -errno : 0;
	}
	return result;
}

int layer_close_range(unsigned int first, unsigned int last, int flags)
{
	int saved, result;

	/* Close-on-exec for a range changes nothing that we know; the link has it already. */
	if (first > last || (flags & RANGE_CLOEXEC) || !guard_enter(&saved))
		return next_close_range(first, last, flags);
	result = close_around(first, last, flags);
	/* CLOSE_RANGE_UNSHARE: other threads may keep theirs open. */
	if (result == 0 && flags == 0)
		forget(first, last);
	return guard_leave(saved, result);
}

void layer_closefrom(int first)
{
	unsigned int from = first < 0 ? 0 : (unsigned int)first;
	int saved;

	if (!guard_enter(&saved)) {
		next_closefrom(first);
		return;
	}
	if (close_around(from, ALL_FDS, 0) < 0)
		next_closefrom(first); /* a kernel without close_range(2); the link opens again when it is needed */
	forget(from, ALL_FDS);
	guard_leave(saved, 0);
}
