/* The texts of getnameinfo(3). See nameinfo.c. */
#ifndef LAYER_NAMEINFO_H
#define LAYER_NAMEINFO_H

#include <stdbool.h>
#include <sys/socket.h>

/* A call of getnameinfo, as it was made. */
struct nameinfo_call {
	const struct sockaddr *address;
	socklen_t length;
	char *host;
	socklen_t host_length;
	char *service;
	socklen_t service_length;
	int flags;
};

/*
 * Is it about an address that means something with one of the target's interfaces only? Takes the guard for a
 * moment.
 */
bool nameinfo_is_scoped(const struct nameinfo_call *call);
/* Makes such a call, without the guard. 0 or EAI_*. */
int nameinfo_scoped(const struct nameinfo_call *call);

/* May the session be asked about it? libc answers where no host's name is wanted. */
bool nameinfo_asks(const struct nameinfo_call *call);
/* Makes the call, within the guard: 0, EAI_*, or EAI_SYSTEM with *error. */
int nameinfo_answer(const struct nameinfo_call *call, int *error);

#endif
