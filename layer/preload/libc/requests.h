/* Requests of getaddrinfo_a(3) that are under way. See requests_glibc.c. */
#ifndef LAYER_REQUESTS_H
#define LAYER_REQUESTS_H

#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Has the `count` requests of `list` looked up, those that are NULL left out; `awaited`: returns when they
 * are. 0 or EAI_MEMORY.
 */
int requests_make(struct gaicb **list, int count, bool awaited, const struct sigevent *event);
/* Is it waiting or being looked up? */
bool requests_know(const struct gaicb *block);
/* A number that is another one as soon as a request has ended. */
uint32_t requests_turn(void);
/* Until it is not `seen` any more, or for `timeout` ms (-1: no end): as sys_wait_word(). */
int requests_await(uint32_t seen, int64_t timeout);
/* EAI_CANCELED, EAI_NOTCANCELED or EAI_ALLDONE. */
int requests_cancel(struct gaicb *block);

#endif
