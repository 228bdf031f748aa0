/*
 * Network interfaces and their addresses, which are the target's where the app's traffic is: questions by
 * sockets of netlink(7). Called by the edges of sending, receiving and naming; interface_control_linux.c is
 * the same by ioctl, preload/libc/interface_list_linux.c has libc's own calls.
 *
 * A question to rtnetlink(7) goes to the target's kernel, and its answer has to come from the app's own
 * socket, for which the app may wait by poll(2). So the socket is replaced: by one end of a pair into which
 * the answer was written, with the same boundaries between messages as the kernel makes. The other end is
 * closed: once the answer is read, there is nothing more to come, as on a netlink socket. The note of the
 * socket keeps its name.
 * The invariants: no answer is ever made of this machine's interfaces and the target's; a request that
 * changes something is left to this machine's kernel, which decides about it, until the socket is replaced,
 * and is refused from then on.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "../../sys/sys_sockets.h"
#include "../fds.h"
#include "interfaces.h"
#include "../../writable.h"

/* from <linux/netlink.h>, missing in old headers */
#define STRICT_CHECK 12
/*
 * What the kernel makes of one answer, to begin with (NLMSG_GOODSIZE). Apps have room for it: 4096 bytes,
 * mostly.
 */
#define PART_BYTES 3584
#define ANSWER_BUFFER (4 << 20)

/* A message that asks and changes nothing: of four types in a row the third does (rtnetlink(7)). */
static bool asks(const struct nlmsghdr *head)
{
	return head->nlmsg_type >= RTM_BASE && (head->nlmsg_type & 3) == 2;
}

static const struct nlmsghdr *message_at(const unsigned char *bytes, size_t count, size_t at)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)(bytes + at);

	return at + sizeof(*head) <= count && head->nlmsg_len >= sizeof(*head) && at + head->nlmsg_len <= count ? head :
														  NULL;
}

bool interfaces_seem_asked(const void *bytes, size_t count)
{
	const struct nlmsghdr *head = bytes ? message_at(bytes, count, 0) : NULL;

	return head && head->nlmsg_type >= RTM_BASE && head->nlmsg_type <= RTM_MAX && (head->nlmsg_flags & NLM_F_REQUEST);
}

static bool all_ask(const unsigned char *bytes, size_t count)
{
	const struct nlmsghdr *head;

	for (size_t at = 0; (head = message_at(bytes, count, at)); at += NLMSG_ALIGN(head->nlmsg_len))
		if (!asks(head))
			return false;
	return true;
}

/* Where an answer goes: into `end`, addressed to `port`. */
struct delivery {
	int end;
	uint32_t port;
	int status;
};

/* Whole messages, as many as make one part; one that is larger goes alone. */
static int deliver(void *context, unsigned char *bytes, size_t count)
{
	struct delivery *to = context;
	struct nlmsghdr *head;
	size_t start = 0, at = 0;

	while (to->status == 0 && (head = writable(message_at(bytes, count, at)))) {
		size_t next = at + NLMSG_ALIGN(head->nlmsg_len);

		if (at > start && next - start > PART_BYTES) {
			to->status = sys_send_part(to->end, bytes + start, at - start);
			start = at;
		}
		head->nlmsg_pid = to->port;
		at = next;
	}
	if (to->status == 0 && at > start)
		to->status = sys_send_part(to->end, bytes + start, (at < count ? at : count) - start);
	return to->status;
}

static int deliver_answer(void *context, const void *answer)
{
	const struct wire_netlink_reply *reply = answer;

	/* The link's own memory, which is ours until we return. */
	deliver(context, writable(reply->messages.start), reply->messages.length);
	return 0;
}

static int ask_netlink(const struct nlmsghdr *head, bool strict, ask_take take, void *context)
{
	struct wire_netlink message = {
		.strict = strict, .request = { .start = (const char *)head, .length = head->nlmsg_len }
	};

	if (head->nlmsg_len > WIRE_INTERFACE_QUESTION_BYTES)
		return -EMSGSIZE;
	return ask_now(ASK_TAKE(netlink, &message, take, context));
}

/* NLMSG_ERROR in answer to `head`, as the kernel sends it. */
static int deliver_error(struct delivery *to, const struct nlmsghdr *head, int status)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} message = {
		.head = { .nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = head->nlmsg_seq },
		.error = { .error = status, .msg = *head },
	};

	return deliver(to, (unsigned char *)&message, sizeof(message));
}

/* Answers each message of `bytes` into the pair's end. */
static int answer_all(struct delivery *to, bool strict, const unsigned char *bytes, size_t count)
{
	const struct nlmsghdr *head;
	int status;

	for (size_t at = 0; to->status == 0 && (head = message_at(bytes, count, at)); at += NLMSG_ALIGN(head->nlmsg_len)) {
		if (!asks(head)) {
			deliver_error(to, head, -EPERM);
			continue;
		}
		status = ask_netlink(head, strict, deliver_answer, to);
		if (status == -EIO || status == -EINTR)
			return status;
		if (status < 0)
			deliver_error(to, head, status);
	}
	return to->status;
}

/* What the app has not read yet of the answer before. */
static void move_rest(int from, int to)
{
	unsigned char part[PART_BYTES];
	long got;

	while ((got = sys_receive_part(from, part, sizeof(part))) > 0)
		if (sys_send_part(to, part, (size_t)got) < 0)
			return;
}

/* The name of the netlink socket `fd`; it gets one, as its first message would give it (netlink(7)). */
static int netlink_name(int fd, struct sockaddr_nl *name)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(*name);
	int status = sys_getsockname(fd, (struct sockaddr *)name, &length);

	if (status < 0 || name->nl_pid != 0)
		return status;
	status = sys_bind(fd, (struct sockaddr *)&any, sizeof(any));
	if (status < 0)
		return status;
	length = sizeof(*name);
	return sys_getsockname(fd, (struct sockaddr *)name, &length);
}

/* Answers what was sent on the socket, which is a netlink socket or was one, by its note. 0 or -errno. */
static int answer_on(struct fds_handle *socket, const unsigned char *bytes, size_t count)
{
	struct fds_note *note = &socket->note;
	int fd = socket->fd;
	bool known = note->state == FDS_NETLINK, waits = sys_nonblocking(fd) == 0;
	struct sockaddr_nl name;
	struct delivery to = { .status = 0 };
	int ends[2], status;

	if (known) {
		memcpy(&name, &note->local, sizeof(name));
	} else {
		status = netlink_name(fd, &name);
		if (status < 0)
			return status;
		*note = (struct fds_note){ .state = FDS_NETLINK };
		note->flags = sys_option(fd, SOL_NETLINK, STRICT_CHECK) > 0;
		memcpy(&note->local, &name, sizeof(name));
	}
	status = sys_pair(ends);
	if (status < 0)
		return status;
	sys_set_option(ends[0], SOL_SOCKET, SO_SNDBUF, ANSWER_BUFFER);
	if (known)
		move_rest(fd, ends[0]);
	to.end = ends[0];
	to.port = name.nl_pid;
	status = answer_all(&to, note->flags != 0, bytes, count);
	if (status == 0)
		status = sys_take_place(ends[1], fd);
	if (status == 0) {
		sys_set_nonblocking(fd, !waits);
		socket->identity = (struct sys_identity){ 0 };
		fds_renew(socket);
	}
	sys_close(ends[0]);
	sys_close(ends[1]);
	return status;
}

static bool is_route_socket(int fd)
{
	return sys_socket_option(fd, SO_DOMAIN) == AF_NETLINK && sys_socket_option(fd, SO_PROTOCOL) == NETLINK_ROUTE;
}

struct verdict interfaces_sent(struct fds_handle *socket, const void *bytes, size_t count)
{
	int status = 1;

	if (socket->note.state != FDS_NETLINK)
		status = is_route_socket(socket->fd) && all_ask(bytes, count) ? ask_floor(LINK_INTERFACES) : 0;
	if (status == 0)
		return verdict_libc();
	if (status > 0)
		status = answer_on(socket, bytes, count);
	return verdict_result(status < 0 ? status : (long)count);
}

static bool give_name(const struct sockaddr_nl *name, struct sockaddr *address, socklen_t *length)
{
	memcpy(address, name, *length < sizeof(*name) ? *length : sizeof(*name));
	*length = sizeof(*name);
	return true;
}

bool interfaces_own_name(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length)
{
	struct sockaddr_nl name;

	if (socket->note.state != FDS_NETLINK)
		return false;
	memcpy(&name, &socket->note.local, sizeof(name));
	return give_name(&name, address, length);
}

bool interfaces_sender(const struct fds_handle *socket, struct sockaddr *address, socklen_t *length)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return socket->note.state == FDS_NETLINK && give_name(&kernel, address, length);
}

static int keep_dump(void *context, const void *answer)
{
	const struct wire_netlink_reply *reply = answer;
	struct interfaces_dump *dump = context;

	dump->length = reply->messages.length;
	dump->bytes = sys_map(dump->length + 1, false);
	if (!dump->bytes)
		return -ENOMEM;
	memcpy(dump->bytes, reply->messages.start, dump->length);
	return 0;
}

struct verdict interfaces_dump(unsigned short type, struct interfaces_dump *dump)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg any;
	} question = {
		.head = { .nlmsg_len = sizeof(question), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	int status = ask_floor(LINK_INTERFACES);

	if (status == 0)
		return verdict_libc();
	return verdict_result(status < 0 ? status : ask_netlink(&question.head, false, keep_dump, dump));
}

void interfaces_forget(struct interfaces_dump *dump)
{
	if (dump->bytes)
		sys_unmap(dump->bytes, dump->length + 1);
	dump->bytes = NULL;
}

bool interfaces_are_remote(void)
{
	return ask_floor(LINK_INTERFACES) > 0;
}
