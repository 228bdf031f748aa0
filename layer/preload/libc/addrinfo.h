/* The lists of getaddrinfo(3). See addrinfo.c. */
#ifndef LAYER_ADDRINFO_H
#define LAYER_ADDRINFO_H

#include <netdb.h>
#include <stdbool.h>

/* A call of getaddrinfo, as it was made. */
struct addrinfo_call {
	const char *node;
	const char *service;
	const struct addrinfo *hints;
	struct addrinfo **result;
};

/*
 * May the session be asked about it? Without a name, or with one that is a number by its hints, libc answers.
 */
bool addrinfo_asks(const struct addrinfo_call *call);
/* Makes the call, within the guard: 0, EAI_*, or EAI_SYSTEM with *error. */
int addrinfo_answer(const struct addrinfo_call *call, int *error);

#endif
