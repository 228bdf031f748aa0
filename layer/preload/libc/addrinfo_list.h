/*
 * A list of getaddrinfo(3) made of several, which the app frees by freeaddrinfo(3). See addrinfo_list.c and
 * addrinfo_list_musl.c.
 */
#ifndef LAYER_ADDRINFO_LIST_H
#define LAYER_ADDRINFO_LIST_H

#include <netdb.h>
#include <stddef.h>

struct addrinfo_list {
	struct addrinfo *first; /* NULL: it is empty */
	struct addrinfo *last;
};

/* Appends libc's list `found`, which is the list's from now on, in any case. 0 or EAI_MEMORY. */
int addrinfo_list_add(struct addrinfo_list *list, struct addrinfo *found);
/* Sets the canonical name, `length` bytes, as libc does. 0 or EAI_MEMORY. */
int addrinfo_list_name(struct addrinfo_list *list, const char *name, size_t length);
/* Gives the list to the app. 0 or EAI_MEMORY. */
int addrinfo_list_give(const struct addrinfo_list *list, struct addrinfo **result);
void addrinfo_list_free(struct addrinfo_list *list);

#endif
