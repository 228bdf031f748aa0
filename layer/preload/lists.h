/* The body of the calls of LAYER_LIST_HOOKS, which linux.c and darwin.c give names of their platform's. */
#ifndef LAYER_LISTS_H
#define LAYER_LISTS_H

#include <stdarg.h>
#include <stddef.h>

#include "../writable.h"

/* execl(3): arguments from `first` up to a null pointer, behind which execle has the environment. */
#define LIST_BODY(type, made) \
	{ \
		size_t count = 1; \
		va_list list; \
		type result; \
		va_start(list, first); \
		for (const char *one = first; one; count++) \
			one = va_arg(list, const char *); \
		va_end(list); \
		char *argv[count + 1]; \
		va_start(list, first); \
		argv[0] = writable(first); \
		for (count = 0; argv[count]; count++) \
			argv[count + 1] = va_arg(list, char *); \
		result = made; \
		va_end(list); \
		return result; \
	}

#endif
