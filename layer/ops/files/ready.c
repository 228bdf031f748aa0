/*
 * poll, select and their relatives: a remote file is always ready, as every regular file (poll(2)), while its
 * descriptor's socket never is. With such a file among the descriptors the edge does not wait, and adds the
 * files to the kernel's result.
 */
#include "ready.h"
#include "remote.h"

#define ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct verdict ready_among(const struct pollfd *all, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (files_is_found(all[i].fd, FDS_FILE))
			return verdict_result(true);
	return verdict_result(false);
}

struct verdict ready_polled(struct pollfd *all, nfds_t count)
{
	int ready = 0;

	for (nfds_t i = 0; i < count; i++) {
		if (files_is_found(all[i].fd, FDS_FILE))
			all[i].revents = (short)(all[i].events & ALWAYS);
		ready += all[i].revents != 0;
	}
	return verdict_result(ready);
}

/* The files in `asked`, if it is one that select(2) takes. */
static int files_of(int count, const fd_set *asked, fd_set *files)
{
	int found = 0;

	FD_ZERO(files);
	for (int fd = 0; asked && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, asked) && files_is_found(fd, FDS_FILE)) {
			FD_SET(fd, files);
			found++;
		}
	return found;
}

struct verdict ready_selects(int count, const fd_set *reads, const fd_set *writes, struct ready_sets *files)
{
	return verdict_result(files_of(count, reads, &files->readable) + files_of(count, writes, &files->writable));
}

static int add(int count, fd_set *into, const fd_set *files)
{
	int added = 0;

	for (int fd = 0; into && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, files)) {
			added += !FD_ISSET(fd, into);
			FD_SET(fd, into);
		}
	return added;
}

int ready_selected(int count, fd_set *reads, fd_set *writes, const struct ready_sets *files)
{
	return add(count, reads, &files->readable) + add(count, writes, &files->writable);
}
