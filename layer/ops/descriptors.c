/*
 * The calls that make and end descriptors: close and its relatives, dup and its relatives. They keep the
 * registry (fds.c) correct and the link's own descriptor away from the app's numbers. Called by the doors'
 * edges.
 * The invariant: a descriptor is forgotten before it is closed, since its number may be another thread's
 * right after. Ranges are the exception: what another thread opens meanwhile is forgotten too, and asked
 * about again.
 */
#include "../link/way.h"
#include "descriptors.h"
#include "sockets/incoming.h"
#include "sockets/outgoing.h"

bool descriptors_held(int fd)
{
	return link_holds(fd) || (fd >= 0 && fd == way_descriptor());
}

/* The lowest descriptor in [first, last] that is, or -1. */
static int lowest_held(unsigned int first, unsigned int last)
{
	unsigned int link = (unsigned int)link_next(first, last), way = (unsigned int)way_descriptor();

	return (int)(way >= first && way <= last && way < link ? way : link);
}

bool descriptors_foreign(int fd)
{
	return !fds_has(fd) && !descriptors_held(fd);
}

void descriptors_ended(const struct fds_note *note)
{
	switch (note->state) {
	case FDS_LISTENER:
		incoming_ended(note);
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

struct verdict descriptors_close(int fd, struct descriptors_end *end)
{
	end->last = false;
	if (descriptors_held(fd))
		return verdict_result(0);
	end->last = fds_drop(fd, &end->note);
	return verdict_libc();
}

void descriptors_closed(const struct descriptors_end *end)
{
	if (end->last)
		descriptors_ended(&end->note);
}

void descriptors_make_room(int to)
{
	if (!descriptors_held(to))
		return;
	link_yield(to);
	way_yield(to);
}

void descriptors_follow(int from, int to)
{
	struct descriptors_end end = { .last = false };

	end.last = fds_drop(to, &end.note);
	fds_copy(from, to);
	descriptors_closed(&end);
}

bool descriptors_part(struct descriptors_part *rest, struct descriptors_part *part)
{
	int held;

	while (rest->first <= rest->last) {
		held = lowest_held(rest->first, rest->last);
		*part = *rest;
		if (held < 0) {
			*rest = (struct descriptors_part){ 1, 0 };
			return true;
		}
		rest->first = (unsigned int)held + 1;
		part->last = (unsigned int)held - 1;
		if (part->first < (unsigned int)held)
			return true;
	}
	return false;
}

void descriptors_forget(unsigned int first, unsigned int last)
{
	struct fds_note note;

	for (int fd = fds_next(first, last); fd >= 0; fd = fds_next((unsigned int)fd + 1, last))
		if (fds_drop(fd, &note))
			descriptors_ended(&note);
}
