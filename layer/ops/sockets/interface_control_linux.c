/*
 * Questions about network interfaces by ioctl(2), as netdevice(7) has them: each goes to the target's kernel
 * unchanged, with what its pointer points to. Called by preload/hooks_sockets_interfaces_linux.c.
 * The invariant: a request that changes an interface goes to this machine's kernel, which decides whether the
 * app may.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../sys/sys.h"
#include "interface_control.h"

/* The memory that an ioctl's answer is written to. */
struct answer {
	unsigned char *into;
	size_t room, length;
};

static int keep_answer(void *context, const void *told)
{
	const struct wire_interface_reply *reply = told;
	struct answer *answer = context;

	answer->length = reply->content.length;
	if (answer->room > 0)
		memcpy(answer->into, reply->content.start, answer->room < answer->length ? answer->room : answer->length);
	return 0;
}

/* Names end within their 16 bytes, as the kernel's do: programs read them as texts. */
static void end_names(void *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		((struct ifreq *)requests)[i].ifr_name[IFNAMSIZ - 1] = 0;
}

static int ask_control(unsigned int command, const void *request, size_t count, struct answer *answer)
{
	struct wire_interface message = {
		.command = command, .request = { .start = request, .length = (uint32_t)count }
	};

	if (count > WIRE_INTERFACE_QUESTION_BYTES)
		return -EMSGSIZE;
	return ask_now(ASK_TAKE(interface, &message, keep_answer, answer));
}

struct verdict interfaces_ask(unsigned int command, void *request)
{
	struct answer answer = { .into = request, .room = sizeof(struct ifreq) };
	int status = ask_floor(LINK_INTERFACES);

	if (status == 0)
		return verdict_libc();
	if (status > 0) {
		status = ask_control(command, request, sizeof(struct ifreq), &answer);
		end_names(request, 1);
	}
	return verdict_result(status);
}

/* SIOCGIFCONF: a list into the app's room, or how much room it takes. */
static int ask_list(struct ifconf *list)
{
	struct answer answer = {
		.into = (unsigned char *)list->ifc_buf,
		.room = list->ifc_buf && list->ifc_len > 0 ? (size_t)list->ifc_len / sizeof(struct ifreq) * sizeof(struct ifreq) :
							     0,
	};
	int status = ask_control(SIOCGIFCONF, NULL, 0, &answer);

	if (status < 0)
		return status;
	answer.length -= answer.length % sizeof(struct ifreq);
	list->ifc_len = (int)(list->ifc_buf && answer.length > answer.room ? answer.room : answer.length);
	if (answer.room > 0)
		end_names(list->ifc_buf, (size_t)list->ifc_len / sizeof(struct ifreq));
	return 0;
}

/* SIOCETHTOOL: what stands behind the pointer goes with the request, and comes back. */
static int ask_driver(struct ifreq *request)
{
	unsigned char whole[sizeof(*request) + sizeof(struct ethtool_drvinfo)];
	const uint32_t *command = (const uint32_t *)request->ifr_data;
	size_t size = !command			      ? 0 :
		      *command == ETHTOOL_GSET	      ? sizeof(struct ethtool_cmd) :
		      *command == ETHTOOL_GDRVINFO    ? sizeof(struct ethtool_drvinfo) :
		      *command == ETHTOOL_GLINK	      ? sizeof(struct ethtool_value) :
							0;
	struct answer answer = { .into = whole, .room = sizeof(*request) + size };
	int status;

	if (size == 0)
		return command ? -EOPNOTSUPP : -EFAULT;
	memcpy(whole, request, sizeof(*request));
	memcpy(whole + sizeof(*request), command, size);
	status = ask_control(SIOCETHTOOL, whole, sizeof(*request) + size, &answer);
	if (status == 0)
		memcpy(request->ifr_data, whole + sizeof(*request), size);
	return status;
}

bool interfaces_is_question(unsigned long command)
{
	switch (command) {
	case SIOCGIFNAME:
	case SIOCGIFCONF:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFSLAVE:
	case SIOCGIFINDEX:
	case SIOCGIFCOUNT:
	case SIOCGIFTXQLEN:
	case SIOCGIFMAP:
	case SIOCETHTOOL:
		return true;
	default:
		return false;
	}
}

struct verdict interfaces_control(int fd, unsigned long command, void *argument)
{
	struct answer answer = { .into = argument, .room = sizeof(struct ifreq) };
	int status = sys_socket_option(fd, SO_TYPE) < 0 ? 0 : ask_floor(LINK_INTERFACES);

	if (status <= 0)
		return status < 0 ? verdict_result(status) : verdict_libc();
	status = command == SIOCGIFCONF	  ? ask_list(argument) :
		 command == SIOCETHTOOL ? ask_driver(argument) :
					    ask_control((unsigned int)command, argument, sizeof(struct ifreq), &answer);
	if (status == 0 && command == SIOCGIFNAME)
		end_names(argument, 1);
	return verdict_result(status);
}
