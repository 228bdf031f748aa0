/* musl's resolver has no state: nothing to set, and nothing to report in. Called by resolver_linux.c. */
#include "resolver_state.h"

void resolver_failed(struct __res_state *state, int h_error)
{
	(void)state;
	(void)h_error;
}

uint16_t resolver_flags(struct __res_state *state)
{
	(void)state;
	return 0;
}
