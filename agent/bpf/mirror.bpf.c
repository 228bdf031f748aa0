// SPDX-License-Identifier: GPL-2.0
// Picks the packets that clients send to mirrored ports and, on a socket that sees what is sent too, those
// that go back from these ports; picked packets are copied, and every packet goes on unchanged. A filter of
// packet(7) sockets, which see what the network namespace receives, loopback included, at its IP header.
// Loaded by agent/sys/packet_tap.ts. In doubt a packet is not picked.

#include <linux/bpf.h>
#include <linux/in.h>

#include "numbers.h"

#define SECTION(name) __attribute__((section(name), used))
#define PACKET_HOST 0 // <linux/if_packet.h>: sent to this host
#define PACKET_OUTGOING 4 // sent by it
#define NOT_PICKED 0
#define PICKED 0xffffffffu // with all of its bytes
#define EXTENSION_HEADERS 6
#define HOP_BY_HOP 0 // RFC 8200, 4
#define ROUTING 43
#define DESTINATION_OPTIONS 60

// Read by scripts/build_bpf.ts: four numbers for each map, in this order.
struct map_definition {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
};

// mirrored port -> anything
struct map_definition SECTION("maps") ports = {BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(__u32), 256};

static void *(*map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*load_bytes)(const void *packet, __u32 offset, void *to, __u32 length) = (void *)BPF_FUNC_skb_load_bytes;

SECTION("socket")
int mirror(struct __sk_buff *packet)
{
	__u32 words[10], offset;
	__u64 key; // of which the first four bytes count: steal.bpf.c says why
	__u8 *head = (__u8 *)words, next[2], port[2];
	__u32 side = packet->pkt_type == PACKET_OUTGOING ? 0 : 2; // where in the TCP header the target's port is

	if ((side && packet->pkt_type != PACKET_HOST) || load_bytes(packet, 0, head, 20) < 0)
		return NOT_PICKED;

	if (head[0] >> 4 == 4) {
		// A fragment has no TCP header, or not all of its bytes.
		if (head[9] != IPPROTO_TCP || (head[6] & 0x3f) || head[7])
			return NOT_PICKED;
		// AGENT_HOPS and one address: the agent dials the original for a stolen connection. The
		// client's own packets were copied already.
		if (head[8] == AGENT_HOPS && words[3] == words[4])
			return NOT_PICKED;
		offset = (head[0] & 15) * 4;
	} else if (head[0] >> 4 == 6 && load_bytes(packet, 0, head, 40) == 0) {
		__u8 protocol = head[6];

		if (head[7] == AGENT_HOPS && words[2] == words[6] && words[3] == words[7] && words[4] == words[8] &&
		    words[5] == words[9])
			return NOT_PICKED;
		offset = 40;
		// Without CAP_PERFMON verifiers follow a loop past its bound until they give up: they
		// think of a processor that guesses wrong at the condition.
#pragma clang loop unroll(full)
		for (int i = 0; i < EXTENSION_HEADERS; i++) {
			if (protocol == IPPROTO_TCP)
				break;
			// The length of these three is in units of eight bytes, the first not counted.
			if (protocol != HOP_BY_HOP && protocol != ROUTING && protocol != DESTINATION_OPTIONS)
				return NOT_PICKED;
			if (load_bytes(packet, offset, next, 2) < 0)
				return NOT_PICKED;
			protocol = next[0];
			offset += (next[1] + 1) * 8;
		}
		if (protocol != IPPROTO_TCP)
			return NOT_PICKED;
	} else {
		return NOT_PICKED;
	}

	if (load_bytes(packet, offset + side, port, 2) < 0)
		return NOT_PICKED;
	key = port[0] << 8 | port[1];
	return map_lookup(&ports, &key) ? PICKED : NOT_PICKED;
}

char licence[] SECTION("license") = "GPL";
