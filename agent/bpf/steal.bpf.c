// SPDX-License-Identifier: GPL-2.0
// Hands new TCP connections for a stolen port to the agent's listener. Everything else, and every case of
// doubt, goes to the original: also connections that come when the agent has not renewed its heartbeat in
// time, for whatever reason. Loaded by agent/sys/bpf.ts, which fills the maps. Program and context:
// Documentation/bpf/prog_sk_lookup.rst of the kernel.
//
// Everything on the stack is written as eight bytes, aligned: without CAP_PERFMON, which the agent does not
// have, verifiers up to Linux 6.1 at least refuse a second write into eight bytes that hold a shorter number
// ("attempt to corrupt spilled pointer on stack", kernel/bpf/verifier.c). Both machines are little-endian, so
// the first four bytes of such a number are a key of four.

#include <linux/bpf.h>
#include <linux/in.h>

#include "numbers.h"

#define SECTION(name) __attribute__((section(name), used))
#define FAMILY_IPV4 2
#define FAMILY_IPV6 10

// Read by scripts/build_bpf.ts: four numbers for each map, in this order.
struct map_definition {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
};

// The sources of the agent's own connections to the original: an address in network byte order, IPv4's with
// zeros behind it, and a port in network byte order.
struct bypass_key {
	__u64 address[2];
	__u64 port;
};
_Static_assert(sizeof(struct bypass_key) == 24, "agent/sys/steal_program.ts writes 24 bytes");

// stolen port -> first of its two entries in sockets, and above REACH_SHIFT the addresses for which it is
// stolen
struct map_definition SECTION("maps") ports = {BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(__u32), 256};
// even = listener for IPv4, odd = for IPv6
struct map_definition SECTION("maps") sockets = {BPF_MAP_TYPE_SOCKMAP, sizeof(__u32), sizeof(__u64), 2};
struct map_definition SECTION("maps") bypasses = {BPF_MAP_TYPE_HASH, sizeof(struct bypass_key), sizeof(__u32), 32768};
// [0]: until when connections are handed over, in nanoseconds of CLOCK_MONOTONIC (bpf-helpers(7),
// bpf_ktime_get_ns)
struct map_definition SECTION("maps") heartbeat = {BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1};
// [0]: how many connections the original got because that time was over; a packet that comes behind the end
// of a connection looks the same here, and counts too
struct map_definition SECTION("maps") passed = {BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1};

static void *(*map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*assign)(void *ctx, void *socket, __u64 flags) = (void *)BPF_FUNC_sk_assign;
static __u64 (*monotonic)(void) = (void *)BPF_FUNC_ktime_get_ns;
static long (*release)(void *socket) = (void *)BPF_FUNC_sk_release;

SECTION("sk_lookup")
int steal(struct bpf_sk_lookup *ctx)
{
	__u64 port = ctx->local_port, index, zero = 0;
	struct bypass_key from;
	__u32 *base, reach, set;
	__u64 *until, *count;
	void *listener;

	if (ctx->protocol != IPPROTO_TCP)
		return SK_PASS;
	base = map_lookup(&ports, &port);
	if (!base)
		return SK_PASS;

	index = *base & ((1 << REACH_SHIFT) - 1);
	reach = *base >> REACH_SHIFT;
	if (ctx->family == FAMILY_IPV4) {
		from.address[0] = ctx->remote_ip4;
		from.address[1] = 0;
		set = (ctx->local_ip4 & 0xff) == 127 ? REACH_LOOPBACK4 : REACH_OTHER4; // network byte order
	} else if (ctx->family == FAMILY_IPV6) {
		from.address[0] = (__u64)ctx->remote_ip6[1] << 32 | ctx->remote_ip6[0];
		from.address[1] = (__u64)ctx->remote_ip6[3] << 32 | ctx->remote_ip6[2];
		index += 1;
		set = !ctx->local_ip6[0] && !ctx->local_ip6[1] && !ctx->local_ip6[2] &&
			      ctx->local_ip6[3] == __builtin_bswap32(1) ? REACH_LOOPBACK6 : REACH_OTHER6;
	} else {
		return SK_PASS;
	}
	if (!(reach & set))
		return SK_PASS;
	from.port = ctx->remote_port; // network byte order
	if (map_lookup(&bypasses, &from))
		return SK_PASS;

	until = map_lookup(&heartbeat, &zero);
	if (!until || monotonic() > *until) {
		count = map_lookup(&passed, &zero);
		if (count)
			__sync_fetch_and_add(count, 1);
		return SK_PASS;
	}

	listener = map_lookup(&sockets, &index);
	if (!listener)
		return SK_PASS;
	assign(ctx, listener, 0);
	release(listener);
	return SK_PASS;
}

char licence[] SECTION("license") = "GPL";
