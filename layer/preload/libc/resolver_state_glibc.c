/*
 * The state of glibc's resolver, which programs may have set up. The invariant: only what the program itself
 * set counts, since this machine's servers, search domains and options do not apply to the target. Called by
 * resolver_linux.c.
 */
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#include "../../ops/dns/lookup.h"
#include "resolver_state.h"

/* Bits of the resolver's options that are missing in older headers. */
#define OPTION_DNSSEC 0x00800000u
#define OPTION_TRUST_AD 0x04000000u
/* Those that resolv.conf may set too. */
#define OPTIONS_OF_FILE (RES_USEVC | RES_USE_EDNS0 | OPTION_TRUST_AD)

static struct __res_state *state_of(struct __res_state *state)
{
	return state ? state : &_res;
}

void resolver_failed(struct __res_state *state, int h_error)
{
	state_of(state)->res_h_errno = h_error;
}

uint16_t resolver_flags(struct __res_state *state)
{
	unsigned long options = state_of(state)->options;
	struct __res_state fresh;

	if (!(options & RES_INIT))
		return 0;
	if (options & OPTIONS_OF_FILE) {
		memset(&fresh, 0, sizeof(fresh));
		if (res_ninit(&fresh) == 0) {
			options &= ~(fresh.options & OPTIONS_OF_FILE);
			res_nclose(&fresh);
		}
	}
	return (uint16_t)((options & RES_USEVC ? WIRE_RESOLVE_USE_TCP : 0) |
			  (options & RES_IGNTC ? WIRE_RESOLVE_IGNORE_TRUNCATION : 0) |
			  (options & RES_USE_EDNS0 ? WIRE_RESOLVE_EDNS : 0) | (options & OPTION_DNSSEC ? WIRE_RESOLVE_DNSSEC : 0) |
			  (options & OPTION_TRUST_AD ? WIRE_RESOLVE_TRUST_AD : 0) |
			  (options & RES_RECURSE ? 0 : WIRE_RESOLVE_NO_RECURSION) |
			  (options & RES_DEFNAMES ? 0 : WIRE_RESOLVE_NO_DEFAULT_DOMAIN) |
			  (options & RES_DNSRCH ? 0 : WIRE_RESOLVE_NO_SEARCH_LIST));
}
