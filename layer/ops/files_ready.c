/*
 * poll, select and their relatives: a remote file is always ready, as every regular file (poll(2)), while its descriptor's
 * socket never is. With such a file among the descriptors nothing is waited for.
 */
#include <poll.h>
#include <string.h>
#include <sys/select.h>

#include "../hooks.h"
#include "files.h"

#define ALWAYS (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

static const struct timespec no_time;

static bool has_file(const struct pollfd *all, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (files_is(all[i].fd, FDS_FILE))
			return true;
	return false;
}

/* After a poll that did not wait: `result`, with the files ready as well. */
static int with_files(struct pollfd *all, nfds_t count, int result)
{
	int ready = 0;

	if (result < 0)
		return result;
	for (nfds_t i = 0; i < count; i++) {
		if (files_is(all[i].fd, FDS_FILE))
			all[i].revents = (short)(all[i].events & ALWAYS);
		ready += all[i].revents != 0;
	}
	return ready;
}

int layer_poll(struct pollfd *all, nfds_t count, int timeout)
{
	if (!has_file(all, count))
		return next_poll(all, count, timeout);
	return with_files(all, count, next_poll(all, count, 0));
}

int layer___poll_chk(struct pollfd *all, nfds_t count, int timeout, size_t size)
{
	return has_file(all, count) ? layer_poll(all, count, timeout) : next___poll_chk(all, count, timeout, size);
}

int layer_ppoll(struct pollfd *all, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	if (!has_file(all, count))
		return next_ppoll(all, count, timeout, mask);
	return with_files(all, count, next_ppoll(all, count, &no_time, mask));
}

/* The files in `asked`, if it is one that select(2) takes. */
static int files_of(int count, const fd_set *asked, fd_set *files)
{
	int found = 0;

	FD_ZERO(files);
	for (int fd = 0; asked && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, asked) && files_is(fd, FDS_FILE)) {
			FD_SET(fd, files);
			found++;
		}
	return found;
}

/* Puts `files` into what select(2) found; the number of those added. */
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

int layer_select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout)
{
	struct timeval none = { 0 };
	fd_set readable, writable;
	int result;

	if (files_of(count, reads, &readable) + files_of(count, writes, &writable) == 0)
		return next_select(count, reads, writes, others, timeout);
	result = next_select(count, reads, writes, others, &none);
	return result < 0 ? result : result + add(count, reads, &readable) + add(count, writes, &writable);
}

int layer_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *timeout,
		  const sigset_t *mask)
{
	fd_set readable, writable;
	int result;

	if (files_of(count, reads, &readable) + files_of(count, writes, &writable) == 0)
		return next_pselect(count, reads, writes, others, timeout, mask);
	result = next_pselect(count, reads, writes, others, &no_time, mask);
	return result < 0 ? result : result + add(count, reads, &readable) + add(count, writes, &writable);
}
