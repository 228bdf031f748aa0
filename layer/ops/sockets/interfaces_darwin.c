/*
 * interfaces.h on Darwin, where network interfaces are this machine's: their calls have other forms there
 * (route(4)), which the session does not speak.
 */
#include "interfaces.h"

bool interfaces_seem_asked(const void *bytes, size_t count)
{
	(void)bytes;
	(void)count;
	return false;
}

struct verdict interfaces_sent(struct fds_handle *socket, const void *bytes, size_t count)
{
	(void)socket;
	(void)bytes;
	(void)count;
	return verdict_libc();
}

bool interfaces_own_name(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length)
{
	(void)socket;
	(void)address;
	(void)length;
	return false;
}

bool interfaces_sender(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length)
{
	(void)socket;
	(void)address;
	(void)length;
	return false;
}
