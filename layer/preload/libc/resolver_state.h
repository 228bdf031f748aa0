/*
 * The state of libc's resolver, where it has one. See resolver_state_glibc.c and resolver_state_musl.c.
 */
#ifndef LAYER_RESOLVER_STATE_H
#define LAYER_RESOLVER_STATE_H

#include <stdint.h>

struct __res_state; /* <resolv.h>, which gives other names to the calls */

/* What the program set in its state, beyond what this machine's resolv.conf did; NULL: the thread's. */
uint16_t resolver_flags(struct __res_state *state);
/* The state learns of a failure. */
void resolver_failed(struct __res_state *state, int h_error);

#endif
