/*
 * addrinfo_list.h where libc frees a list node by node, as glibc and Darwin's do: lists are joined, and the
 * first node carries the canonical name, which goes to free().
 */
#include <stdlib.h>
#include <string.h>

#include "addrinfo_list.h"

#if defined(__GLIBC__) || defined(__APPLE__)
int addrinfo_list_add(struct addrinfo_list *list, struct addrinfo *found)
{
	*(list->first ? &list->last->ai_next : &list->first) = found;
	for (list->last = found; list->last->ai_next;)
		list->last = list->last->ai_next;
	return 0;
}

int addrinfo_list_name(struct addrinfo_list *list, const char *name, size_t length)
{
	list->first->ai_canonname = strndup(name, length);
	return list->first->ai_canonname ? 0 : EAI_MEMORY;
}

int addrinfo_list_give(const struct addrinfo_list *list, struct addrinfo **result)
{
	*result = list->first;
	return 0;
}

void addrinfo_list_free(struct addrinfo_list *list)
{
	if (list->first)
		freeaddrinfo(list->first);
}
#endif
