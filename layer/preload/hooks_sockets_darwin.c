/*
 * connectx(2), which Darwin alone has: connect, with a source address and the first bytes in one call. For
 * addresses of IP it is made of the hooked calls that do the same; what is put off until the first write, or
 * goes over several ways (MPTCP), is done at once and over one.
 */
#include <sys/uio.h>

#include "../hooks.h"
#include "../ops/sockets/address.h"
#include "guard.h"

static bool is_ip(const struct sa_endpoints *ends)
{
	union name name;

	return ends && address_read(&name, ends->sae_dstaddr, ends->sae_dstaddrlen);
}

int layer_connectx(int fd, const struct sa_endpoints *ends, sae_associd_t association, unsigned int flags,
		   const struct iovec *parts, unsigned int count, size_t *sent, sae_connid_t *connection)
{
	ssize_t written = 0;

	if (!guard_active() || !is_ip(ends))
		return next_connectx(fd, ends, association, flags, parts, count, sent, connection);
	if (ends->sae_srcaddr && ends->sae_srcaddrlen > 0 && layer_bind(fd, ends->sae_srcaddr, ends->sae_srcaddrlen) < 0)
		return -1;
	if (layer_connect(fd, ends->sae_dstaddr, ends->sae_dstaddrlen) < 0)
		return -1;
	if (parts && count > 0)
		written = layer_writev(fd, parts, (int)count);
	if (sent)
		*sent = written > 0 ? (size_t)written : 0;
	if (connection)
		*connection = SAE_CONNID_ANY;
	return written < 0 ? -1 : 0;
}
