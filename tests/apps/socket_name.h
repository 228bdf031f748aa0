/* Names of sockets as apps read and print them: "HOST PORT"; "-" is a host of no family (AF_UNSPEC). */
#ifndef SOCKET_NAME_H
#define SOCKET_NAME_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The name's length. */
static inline socklen_t parse_name(const char *host, int port, struct sockaddr_storage *name)
{
	struct sockaddr_in *v4 = (void *)name;
	struct sockaddr_in6 *v6 = (void *)name;

	memset(name, 0, sizeof(*name));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return sizeof(*v6);
	}
	return sizeof(struct sockaddr);
}

/* The same text until the next call. */
static inline const char *name_text(const struct sockaddr_storage *name)
{
	static char text[80];
	char host[INET6_ADDRSTRLEN] = "-";
	const struct sockaddr_in *v4 = (const void *)name;
	const struct sockaddr_in6 *v6 = (const void *)name;

	if (name->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	else if (name->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
	/* The port stands at the same place in both families. */
	snprintf(text, sizeof(text), "%s %d", host, ntohs(v4->sin_port));
	return text;
}

#endif
