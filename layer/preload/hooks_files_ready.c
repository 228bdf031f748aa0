/*
 * The hooks of poll, select and their relatives. With an open file of the target among the descriptors they
 * do not wait; see ops/files/ready.c. Without one, which the registry's table shows, libc's call is made
 * unchanged.
 */
#include "../hooks.h"
#include "../ops/fds.h"
#include "../ops/files/ready.h"
#include "hooks_files_ready.h"

static const struct timespec no_time;

static bool seems(const struct pollfd *all, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++)
		if (fds_seems(all[i].fd, FDS_FILE))
			return true;
	return false;
}

bool edge_has_file(const struct pollfd *all, nfds_t count)
{
	return EDGE_IF(seems(all, count), ready_among(all, count), false);
}

int edge_with_files(struct pollfd *all, nfds_t count, int result)
{
	return result < 0 ? result : EDGE(ready_polled(all, count), result);
}

int layer_poll(struct pollfd *all, nfds_t count, int timeout)
{
	if (!edge_has_file(all, count))
		return next_poll(all, count, timeout);
	return edge_with_files(all, count, next_poll(all, count, 0));
}

static bool set_seems(int count, const fd_set *asked)
{
	for (int fd = 0; asked && fd < count && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, asked) && fds_seems(fd, FDS_FILE))
			return true;
	return false;
}

static bool selects_files(int count, const fd_set *reads, const fd_set *writes, struct ready_sets *files)
{
	return EDGE_IF(set_seems(count, reads) || set_seems(count, writes), ready_selects(count, reads, writes, files), 0) > 0;
}

int layer_select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *timeout)
{
	struct timeval none = { 0 };
	struct ready_sets files;
	int result;

	if (!selects_files(count, reads, writes, &files))
		return next_select(count, reads, writes, others, timeout);
	result = next_select(count, reads, writes, others, &none);
	return result < 0 ? result : result + ready_selected(count, reads, writes, &files);
}

int layer_pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *timeout,
		  const sigset_t *mask)
{
	struct ready_sets files;
	int result;

	if (!selects_files(count, reads, writes, &files))
		return next_pselect(count, reads, writes, others, timeout, mask);
	result = next_pselect(count, reads, writes, others, &no_time, mask);
	return result < 0 ? result : result + ready_selected(count, reads, writes, &files);
}
