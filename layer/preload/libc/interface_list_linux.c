/*
 * The results of libc's own calls about network interfaces, getifaddrs(3) and if_nameindex(3): made from the
 * answers of the target's kernel, as glibc makes them (sysdeps/unix/sysv/linux/ifaddrs.c); libc's freeifaddrs
 * and if_freenameindex free them. Called by hooks_sockets_interfaces_linux.c.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>

#include "interface_list.h"

/* The largest hardware address, Infiniband's, is longer than sockaddr_ll has room for. */
union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_ll link;
	struct {
		unsigned char head[offsetof(struct sockaddr_ll, sll_addr)];
		unsigned char bytes[24];
	} long_link;
};

/* One entry of the list, all of which lie in one piece of memory: freeifaddrs(3) is free(3). */
struct entry {
	struct ifaddrs list;
	union any_address address, netmask, other;
	char name[IFNAMSIZ + 1];
	struct rtnl_link_stats counts;
	int index;
};

/* The messages of `dump`, of type `type`, that have at least the `size` bytes of their structure. */
static const struct nlmsghdr *next_message(const struct interfaces_dump *dump, size_t *at, unsigned short type)
{
	const size_t size = type == RTM_NEWLINK ? sizeof(struct ifinfomsg) : sizeof(struct ifaddrmsg);

	while (*at + sizeof(struct nlmsghdr) <= dump->length) {
		const struct nlmsghdr *head = (const struct nlmsghdr *)(dump->bytes + *at);

		if (head->nlmsg_len < sizeof(*head) || head->nlmsg_len > dump->length - *at)
			return NULL;
		*at += NLMSG_ALIGN(head->nlmsg_len);
		if (head->nlmsg_type == type && head->nlmsg_len >= NLMSG_LENGTH(size))
			return head;
	}
	return NULL;
}

static size_t count_messages(const struct interfaces_dump *dump, unsigned short type)
{
	size_t at = 0, count = 0;

	while (next_message(dump, &at, type))
		count++;
	return count;
}

/* NLMSG_DATA(3), RTA_NEXT and RTA_DATA(3) of what is only read: the macros drop const. */
static const void *message_bytes(const struct nlmsghdr *head)
{
	return (const char *)head + NLMSG_HDRLEN;
}

static const struct rtattr *next_attribute(const struct rtattr *one, int *left)
{
	const int length = (int)RTA_ALIGN(one->rta_len);

	*left -= length;
	return (const struct rtattr *)((const char *)one + length);
}

static const void *attribute_bytes(const struct rtattr *one)
{
	return (const char *)one + RTA_LENGTH(0);
}

/*
 * The attributes behind the `size` bytes of a message's own structure: for (...; RTA_OK(attribute, left);
 * ...). `left` is signed: behind a last attribute that is not padded it becomes negative (rtnetlink(3)).
 */
static const struct rtattr *attributes(const struct nlmsghdr *head, size_t size, int *left)
{
	size_t before = NLMSG_LENGTH(NLMSG_ALIGN(size));

	*left = head->nlmsg_len > before ? (int)(head->nlmsg_len - before) : 0;
	return (const struct rtattr *)((const unsigned char *)head + before);
}

static struct sockaddr *link_address(union any_address *into, const struct ifinfomsg *link, const void *bytes, size_t size)
{
	if (size > sizeof(into->long_link.bytes))
		return NULL;
	into->link.sll_family = AF_PACKET;
	into->link.sll_ifindex = link->ifi_index;
	into->link.sll_hatype = link->ifi_type;
	into->link.sll_halen = (unsigned char)size;
	memcpy(into->long_link.bytes, bytes, size);
	return &into->any;
}

static void read_link(struct entry *entry, const struct nlmsghdr *head)
{
	const struct ifinfomsg *link = message_bytes(head);
	int left;

	entry->index = link->ifi_index;
	entry->list.ifa_flags = link->ifi_flags;
	for (const struct rtattr *one = attributes(head, sizeof(*link), &left); RTA_OK(one, left); one = next_attribute(one, &left)) {
		const void *bytes = attribute_bytes(one);
		size_t size = RTA_PAYLOAD(one);

		switch (one->rta_type) {
		case IFLA_ADDRESS:
			entry->list.ifa_addr = link_address(&entry->address, link, bytes, size);
			break;
		case IFLA_BROADCAST:
			entry->list.ifa_broadaddr = link_address(&entry->other, link, bytes, size);
			break;
		case IFLA_IFNAME:
			memcpy(entry->name, bytes, size < IFNAMSIZ ? size : IFNAMSIZ);
			entry->list.ifa_name = entry->name;
			break;
		case IFLA_STATS:
			memcpy(&entry->counts, bytes, size < sizeof(entry->counts) ? size : sizeof(entry->counts));
			entry->list.ifa_data = &entry->counts;
			break;
		}
	}
}

static struct sockaddr *ip_address(union any_address *into, const struct ifaddrmsg *own, const void *bytes, size_t size)
{
	memset(into, 0, sizeof(*into));
	into->any.sa_family = own->ifa_family;
	if (own->ifa_family == AF_INET && size == sizeof(into->v4.sin_addr))
		memcpy(&into->v4.sin_addr, bytes, size);
	if (own->ifa_family == AF_INET6 && size == sizeof(into->v6.sin6_addr)) {
		memcpy(&into->v6.sin6_addr, bytes, size);
		if (IN6_IS_ADDR_LINKLOCAL(&into->v6.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&into->v6.sin6_addr))
			into->v6.sin6_scope_id = own->ifa_index;
	}
	return &into->any;
}

static struct sockaddr *prefix_mask(union any_address *into, const struct ifaddrmsg *own)
{
	unsigned char *bytes = own->ifa_family == AF_INET ? (unsigned char *)&into->v4.sin_addr :
							    (unsigned char *)&into->v6.sin6_addr;
	unsigned int most = own->ifa_family == AF_INET ? 32 : 128;
	unsigned int length = own->ifa_prefixlen < most ? own->ifa_prefixlen : most;

	if (own->ifa_family != AF_INET && own->ifa_family != AF_INET6)
		return NULL;
	into->any.sa_family = own->ifa_family;
	memset(bytes, 0xff, length / 8);
	if (length % 8)
		bytes[length / 8] = (unsigned char)(0xff << (8 - length % 8));
	return &into->any;
}

/*
 * With IFA_LOCAL that is the own address, and IFA_ADDRESS the other end's of a point-to-point link
 * (rtnetlink(7)).
 */
static void read_address(struct entry *entry, const struct nlmsghdr *head, const struct entry *links, size_t count)
{
	const struct ifaddrmsg *own = message_bytes(head);
	int left;

	for (size_t i = 0; i < count; i++) {
		if (links[i].index != (int)own->ifa_index)
			continue;
		entry->list.ifa_flags = links[i].list.ifa_flags;
		entry->list.ifa_name = links[i].list.ifa_name;
	}
	for (const struct rtattr *one = attributes(head, sizeof(*own), &left); RTA_OK(one, left); one = next_attribute(one, &left)) {
		const void *bytes = attribute_bytes(one);
		size_t size = RTA_PAYLOAD(one);

		switch (one->rta_type) {
		case IFA_ADDRESS:
			if (entry->list.ifa_addr)
				entry->list.ifa_dstaddr = ip_address(&entry->other, own, bytes, size);
			else
				entry->list.ifa_addr = ip_address(&entry->address, own, bytes, size);
			break;
		case IFA_LOCAL:
			if (entry->list.ifa_addr) {
				entry->other = entry->address;
				entry->list.ifa_dstaddr = &entry->other.any;
			}
			entry->list.ifa_addr = ip_address(&entry->address, own, bytes, size);
			break;
		case IFA_BROADCAST:
			entry->list.ifa_broadaddr = ip_address(&entry->other, own, bytes, size);
			break;
		case IFA_LABEL:
			memcpy(entry->name, bytes, size < IFNAMSIZ ? size : IFNAMSIZ);
			entry->list.ifa_name = entry->name;
			break;
		}
	}
	if (entry->list.ifa_addr)
		entry->list.ifa_netmask = prefix_mask(&entry->netmask, own);
}

int interface_list_make(const struct interfaces_dump *links, const struct interfaces_dump *addresses, struct ifaddrs **result)
{
	size_t link_count = count_messages(links, RTM_NEWLINK), count = link_count + count_messages(addresses, RTM_NEWADDR);
	struct entry *list = count ? calloc(count, sizeof(*list)) : NULL;
	const struct nlmsghdr *head;
	size_t at = 0, made = 0;

	*result = list ? &list->list : NULL;
	if (!list)
		return count ? -ENOMEM : 0;
	while ((head = next_message(links, &at, RTM_NEWLINK)))
		read_link(&list[made++], head);
	for (at = 0; (head = next_message(addresses, &at, RTM_NEWADDR)); made++)
		read_address(&list[made], head, list, link_count);
	for (size_t i = 1; i < made; i++)
		list[i - 1].list.ifa_next = &list[i].list;
	return 0;
}

struct if_nameindex *interface_list_index(const struct interfaces_dump *links)
{
	size_t at = 0, made = 0;
	int left;
	struct if_nameindex *index = calloc(count_messages(links, RTM_NEWLINK) + 1, sizeof(*index));
	const struct nlmsghdr *head;

	while (index && (head = next_message(links, &at, RTM_NEWLINK))) {
		const struct ifinfomsg *link = message_bytes(head);

		for (const struct rtattr *one = attributes(head, sizeof(*link), &left); RTA_OK(one, left);
		     one = next_attribute(one, &left)) {
			if (one->rta_type != IFLA_IFNAME)
				continue;
			index[made].if_index = (unsigned int)link->ifi_index;
			index[made].if_name = strndup(attribute_bytes(one), RTA_PAYLOAD(one));
			if (!index[made].if_name) {
				if_freenameindex(index);
				return NULL;
			}
			made++;
			break;
		}
	}
	return index;
}
