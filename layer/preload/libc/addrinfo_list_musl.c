/*
 * addrinfo_list.h with musl, which frees a list as the one piece of memory that it made it in. So the nodes
 * of a joined list are the layer's own, and freeaddrinfo(3) is hooked: a list is recognized by its first
 * node, which stands in a table. The table's rows are never freed, so no lock is needed, which a fork child
 * might find taken.
 */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../hooks.h"
#include "addrinfo_list.h"

struct node {
	struct addrinfo info; /* first, so that it is found by it */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

struct row {
	struct row *next;
	_Atomic(const struct addrinfo *) first; /* of a list that the app has; NULL: free */
};

static _Atomic(struct row *) rows;

static void free_nodes(struct addrinfo *first)
{
	char *name = first ? first->ai_canonname : NULL; /* one for all */
	struct addrinfo *next;

	for (; first; first = next) {
		next = first->ai_next;
		free(first);
	}
	free(name);
}

static struct addrinfo *copy_of(const struct addrinfo *found)
{
	struct node *node = found->ai_addrlen > sizeof(node->address) ? NULL : calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->info = *found;
	memcpy(&node->address, found->ai_addr, found->ai_addrlen);
	node->info.ai_addr = &node->address.any;
	node->info.ai_canonname = NULL;
	node->info.ai_next = NULL;
	return &node->info;
}

int addrinfo_list_add(struct addrinfo_list *list, struct addrinfo *found)
{
	const struct addrinfo *at = found;

	for (; at; at = at->ai_next) {
		struct addrinfo *copy = copy_of(at);

		if (!copy)
			break;
		*(list->first ? &list->last->ai_next : &list->first) = copy;
		list->last = copy;
	}
	next_freeaddrinfo(found);
	return at ? EAI_MEMORY : 0;
}

/* musl's nodes have it all. */
int addrinfo_list_name(struct addrinfo_list *list, const char *name, size_t length)
{
	char *copy = strndup(name, length);

	for (struct addrinfo *at = list->first; at && copy; at = at->ai_next)
		at->ai_canonname = copy;
	return copy ? 0 : EAI_MEMORY;
}

/* Finds a row that has `old`, and gives it `new`. */
static bool put(const struct addrinfo *old, const struct addrinfo *new)
{
	for (struct row *row = atomic_load(&rows); row; row = row->next) {
		const struct addrinfo *found = old;

		if (atomic_compare_exchange_strong(&row->first, &found, new))
			return true;
	}
	return false;
}

int addrinfo_list_give(const struct addrinfo_list *list, struct addrinfo **result)
{
	struct row *row;

	if (!put(NULL, list->first)) {
		row = malloc(sizeof(*row));
		if (!row)
			return EAI_MEMORY;
		atomic_init(&row->first, list->first);
		row->next = atomic_load(&rows);
		while (!atomic_compare_exchange_weak(&rows, &row->next, row))
			;
	}
	*result = list->first;
	return 0;
}

void addrinfo_list_free(struct addrinfo_list *list)
{
	free_nodes(list->first);
}

void layer_freeaddrinfo(struct addrinfo *list)
{
	if (list && put(list, NULL))
		free_nodes(list);
	else
		next_freeaddrinfo(list);
}
