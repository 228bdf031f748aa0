/*
 * Drops const where an interface of libc or of the kernel declares writable what it only reads (argv of
 * execve(2), msg_name of sendmsg(2)), or where the memory is writable and was handed on as const. Every use
 * is one of these.
 */
#ifndef LAYER_WRITABLE_H
#define LAYER_WRITABLE_H

#include <stdint.h>

static inline void *writable(const void *pointer)
{
	return (void *)(uintptr_t)pointer;
}

#endif
