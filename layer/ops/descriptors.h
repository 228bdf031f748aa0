/*
 * The calls that make and end descriptors: close and its relatives, dup and its relatives. libc's call is
 * made between two halves, since the kernel must have closed a descriptor before its end is reported. See
 * descriptors.c.
 */
#ifndef LAYER_DESCRIPTORS_H
#define LAYER_DESCRIPTORS_H

#include "fds.h"
#include "verdict.h"

/*
 * Is `fd` the layer's own? Programs close every number there may be, and clear close-on-exec on it; to them
 * it looks closed.
 */
bool descriptors_held(int fd);
/* Does the layer know nothing of `fd`? The common case, without a system call. */
bool descriptors_foreign(int fd);

/* What a descriptor was, from before it is closed or replaced until after. */
struct descriptors_end {
	bool last; /* of something whose end is waited for: `note` */
	struct fds_note note;
};
/* Before close(2): `fd` is forgotten, and libc's to close. A value: it is the layer's own, and stays. */
struct verdict descriptors_close(int fd, struct descriptors_end *end);
/* After a close that succeeded. */
void descriptors_closed(const struct descriptors_end *end);

/* Before dup2(2): what the layer itself has at `to` goes elsewhere. */
void descriptors_make_room(int to);
/* After it: `to` is another descriptor of `from`'s object, and no longer what it was. */
void descriptors_follow(int from, int to);

/* Numbers from `first` to `last`; none if the first is above. */
struct descriptors_part {
	unsigned int first, last;
};
/*
 * Before close_range(2): takes the next part without a descriptor of the layer's off *rest. False: there is
 * none.
 */
bool descriptors_part(struct descriptors_part *rest, struct descriptors_part *part);
/*
 * After it: every descriptor of the range is forgotten, and its end reported to the floors that wait for
 * it.
 */
void descriptors_forget(unsigned int first, unsigned int last);

/*
 * An object's last descriptor of this process ended: notifies the floor that noted it. A floor that waits for
 * such an end adds its state there.
 */
void descriptors_ended(const struct fds_note *note);

#endif
