/*
 * The edges of the calls about network interfaces: ioctl, and libc's own, which ask the kernel past every
 * hook (getifaddrs(3), if_nameindex(3), if_nametoindex(3) and back). The operations are in
 * ops/sockets/interfaces_linux.c and interface_control_linux.c; libc/interface_list_linux.c makes the results
 * of libc's calls. Questions by netlink(7) come by the calls that send.
 */
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>

#include "../hooks.h"
#include "../ops/files/itself.h"
#include "../ops/sockets/interface_control.h"
#include "../ops/sockets/interfaces.h"
#include "edge_file.h"
#include "hooks_sockets_interfaces.h"
#include "libc/interface_list.h"

/* What EDGE() gives where libc's own call is to be made, or where a part of an answer is not to be had. */
#define LOCAL 1

static int fail(int error)
{
	errno = error;
	return -1;
}

static int ask_socket(int fd, unsigned long command, void *argument)
{
	return EDGE_IF(argument && interfaces_is_question(command), interfaces_control(fd, command, argument),
		       next_ioctl(fd, command, argument));
}

int layer_ioctl(int fd, unsigned long command, void *argument)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_ioctl(&open, command, argument), ask_socket(fd, command, argument));
}

int layer_getifaddrs(struct ifaddrs **result)
{
	struct interfaces_dump links = { 0 }, addresses = { 0 };
	int status = result ? EDGE(interfaces_dump(RTM_GETLINK, &links), LOCAL) : LOCAL, made;

	if (status == LOCAL)
		return next_getifaddrs(result);
	if (status == 0)
		status = EDGE(interfaces_dump(RTM_GETADDR, &addresses), fail(EIO));
	if (status == 0) {
		made = interface_list_make(&links, &addresses, result);
		status = made < 0 ? fail(-made) : 0;
	}
	interfaces_forget(&links);
	interfaces_forget(&addresses);
	return status;
}

struct if_nameindex *layer_if_nameindex(void)
{
	struct interfaces_dump links = { 0 };
	struct if_nameindex *index = NULL;
	int status = EDGE(interfaces_dump(RTM_GETLINK, &links), LOCAL);

	if (status == LOCAL)
		return next_if_nameindex();
	if (status == 0) {
		index = interface_list_index(&links);
		if (!index)
			errno = ENOBUFS;
	}
	interfaces_forget(&links);
	return index;
}

unsigned int layer_if_nametoindex(const char *name)
{
	struct ifreq request = { 0 };
	size_t length = name ? strlen(name) : 0;
	int status;

	if (!name || length >= IFNAMSIZ)
		return next_if_nametoindex(name);
	memcpy(request.ifr_name, name, length);
	status = EDGE(interfaces_ask(SIOCGIFINDEX, &request), LOCAL);
	if (status == LOCAL)
		return next_if_nametoindex(name);
	return status < 0 ? 0 : (unsigned int)request.ifr_ifindex;
}

char *layer_if_indextoname(unsigned int index, char *name)
{
	struct ifreq request = { 0 };
	int status;

	request.ifr_ifindex = (int)index;
	status = name ? EDGE(interfaces_ask(SIOCGIFNAME, &request), LOCAL) : LOCAL;
	if (status == LOCAL)
		return next_if_indextoname(index, name);
	if (status == 0)
		return strncpy(name, request.ifr_name, IFNAMSIZ);
	if (errno == ENODEV)
		errno = ENXIO;
	return NULL;
}

bool interface_list_is_remote(void)
{
	return EDGE(verdict_result(interfaces_are_remote()), 0);
}
