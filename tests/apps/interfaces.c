/*
 * Prints what each way to ask about network interfaces says, a line for each finding. Argument: the way.
 *   getifaddrs | if_nameindex | if_nametoindex NAME | if_indextoname INDEX | control | netlink TYPE [nonblocking]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *text(const struct sockaddr *address)
{
	static char buffers[4][256];
	static int turn;
	char *into = buffers[turn++ % 4], host[INET6_ADDRSTRLEN];

	if (!address)
		return "-";
	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((struct sockaddr_in *)address)->sin_addr, host, sizeof(host));
		sprintf(into, "%s", host);
	} else if (address->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)address)->sin6_addr, host, sizeof(host));
		sprintf(into, "%s%%%u", host, ((struct sockaddr_in6 *)address)->sin6_scope_id);
	} else if (address->sa_family == AF_PACKET) {
		const struct sockaddr_ll *link = (const struct sockaddr_ll *)address;
		int at = sprintf(into, "link %d type %u ", link->sll_ifindex, link->sll_hatype);

		for (int i = 0; i < link->sll_halen; i++)
			at += sprintf(into + at, "%02x", link->sll_addr[i]);
	} else {
		sprintf(into, "family %u", address->sa_family);
	}
	return into;
}

static int list(void)
{
	struct ifaddrs *all, *one;

	if (getifaddrs(&all) < 0)
		return printf("getifaddrs: %s\n", strerror(errno));
	for (one = all; one; one = one->ifa_next)
		printf("%s %x %s mask %s other %s %s\n", one->ifa_name, one->ifa_flags, text(one->ifa_addr),
		       text(one->ifa_netmask), text(one->ifa_broadaddr), one->ifa_data ? "counts" : "");
	freeifaddrs(all);
	return 0;
}

static int names(void)
{
	struct if_nameindex *all = if_nameindex();

	if (!all)
		return printf("if_nameindex: %s\n", strerror(errno));
	for (struct if_nameindex *one = all; one->if_index; one++)
		printf("%u %s\n", one->if_index, one->if_name);
	if_freenameindex(all);
	return 0;
}

static void ask(int fd, const char *name, const char *call, unsigned long command)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, command, &request) < 0) {
		printf("%s %s: %s\n", name, call, strerror(errno));
		return;
	}
	printf("%s %s: ", name, call);
	for (size_t i = 0; i < 16; i++)
		printf("%02x", ((unsigned char *)&request.ifr_ifru)[i]);
	printf("\n");
}

static int control(void)
{
	static const struct { const char *name; unsigned long command; } calls[] = {
		{ "flags", SIOCGIFFLAGS }, { "address", SIOCGIFADDR }, { "mask", SIOCGIFNETMASK },
		{ "broadcast", SIOCGIFBRDADDR }, { "mtu", SIOCGIFMTU }, { "index", SIOCGIFINDEX },
		{ "hardware", SIOCGIFHWADDR }, { "queue", SIOCGIFTXQLEN },
	};
	struct ifreq found[64];
	struct ifconf conf = { .ifc_len = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room;

	ioctl(fd, SIOCGIFCONF, &conf);
	room = conf.ifc_len;
	conf.ifc_len = sizeof(found);
	conf.ifc_req = found;
	if (ioctl(fd, SIOCGIFCONF, &conf) < 0)
		return printf("SIOCGIFCONF: %s\n", strerror(errno));
	printf("%d bytes, %d\n", conf.ifc_len, room);
	for (size_t i = 0; i < conf.ifc_len / sizeof(found[0]); i++) {
		printf("%s %s\n", found[i].ifr_name, text(&found[i].ifr_addr));
		for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++)
			ask(fd, found[i].ifr_name, calls[call].name, calls[call].command);
	}
	ask(fd, "no-such-link", "flags", SIOCGIFFLAGS);
	return 0;
}

/* A dump by hand; the types and lengths of what comes, and whether the kernel sent it to us. */
static int netlink(int type, int nonblocking)
{
	struct { struct nlmsghdr head; struct rtgenmsg any; } question = {
		.head = { .nlmsg_len = sizeof(question), .nlmsg_type = (unsigned short)type,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 7 },
	};
	struct sockaddr_nl own = { .nl_family = AF_NETLINK }, from = { 0 };
	socklen_t size = sizeof(own);
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), over = 0;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	static char bytes[16384];

	bind(fd, (struct sockaddr *)&own, sizeof(own));
	getsockname(fd, (struct sockaddr *)&own, &size);
	printf("family %u size %u port %d\n", own.nl_family, size, own.nl_pid != 0);
	if (nonblocking)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	for (int round = 0; round < 2; round++, over = 0) {
		if (send(fd, &question, sizeof(question), 0) < 0)
			return printf("send: %s\n", strerror(errno));
		while (!over) {
			struct iovec part = { bytes, sizeof(bytes) };
			struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1 };
			ssize_t got;

			if (poll(&wait, 1, 5000) != 1)
				return printf("nothing came\n");
			got = recvmsg(fd, &message, 0);
			if (got <= 0)
				return printf("recvmsg: %s\n", strerror(errno));
			if (from.nl_family != AF_NETLINK || from.nl_pid != 0 || message.msg_namelen != sizeof(from))
				printf("from %u %u %u\n", from.nl_family, from.nl_pid, message.msg_namelen);
			for (struct nlmsghdr *head = (void *)bytes; NLMSG_OK(head, got); head = NLMSG_NEXT(head, got)) {
				over = head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR;
				printf("%u %u %x %d %d", head->nlmsg_type, head->nlmsg_len, head->nlmsg_flags, head->nlmsg_seq,
				       head->nlmsg_pid == own.nl_pid);
				if (head->nlmsg_type == RTM_NEWLINK)
					printf(" index %d", ((struct ifinfomsg *)NLMSG_DATA(head))->ifi_index);
				printf("\n");
			}
		}
	}
	size = sizeof(own);
	getsockname(fd, (struct sockaddr *)&own, &size);
	printf("family %u size %u more %d\n", own.nl_family, size, (int)recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT));
	return 0;
}

int main(int count, char **args)
{
	const char *way = count > 1 ? args[1] : "";
	char name[IFNAMSIZ];

	if (strcmp(way, "getifaddrs") == 0)
		list();
	else if (strcmp(way, "if_nameindex") == 0)
		names();
	else if (strcmp(way, "control") == 0)
		control();
	else if (strcmp(way, "netlink") == 0)
		netlink(atoi(args[2]), count > 3);
	else if (strcmp(way, "if_nametoindex") == 0)
		printf("%u %s\n", if_nametoindex(args[2]), if_nametoindex(args[2]) ? "" : strerror(errno));
	else if (strcmp(way, "if_indextoname") == 0)
		printf("%s\n", if_indextoname((unsigned int)atoi(args[2]), name) ? name : strerror(errno));
	return 0;
}
