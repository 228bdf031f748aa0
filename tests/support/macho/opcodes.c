/* The opcodes of LC_DYLD_INFO_ONLY (mach-o/loader.h): which words of an image get which addresses. */
#include <string.h>

#include "image.h"

static uint64_t unsigned_leb(const uint8_t **at)
{
	uint64_t result = 0;
	int shift = 0;

	do {
		result |= (uint64_t)(**at & 0x7f) << shift;
		shift += 7;
	} while (*(*at)++ & 0x80);
	return result;
}

static int64_t signed_leb(const uint8_t **at)
{
	int64_t result = 0;
	int shift = 0;
	uint8_t byte;

	do {
		byte = *(*at)++;
		result |= (int64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return shift < 64 && (byte & 0x40) ? result | -(1ll << shift) : result;
}

/* REBASE_OPCODE_* */
void macho_rebase(struct image *image, const uint8_t *at, const uint8_t *end)
{
	const int64_t slide = (int64_t)image->base - (int64_t)image->lowest;
	uint8_t *place = image->base;

	while (at < end) {
		uint8_t code = *at & 0xf0, small = *at & 0x0f;
		uint64_t count = 0, skip = 0;

		at++;
		switch (code) {
		case 0x00:
			return;
		case 0x20:
			place = image->base + image->segments[small] + unsigned_leb(&at);
			break;
		case 0x30:
			place += unsigned_leb(&at);
			break;
		case 0x40:
			place += small * 8ull;
			break;
		case 0x50:
			count = small;
			break;
		case 0x60:
			count = unsigned_leb(&at);
			break;
		case 0x70:
			count = 1;
			skip = unsigned_leb(&at);
			break;
		case 0x80:
			count = unsigned_leb(&at);
			skip = unsigned_leb(&at);
			break;
		}
		for (; count > 0; count--, place += 8 + skip)
			*(int64_t *)place += slide;
	}
}

/* BIND_OPCODE_* */
void macho_bind_all(struct image *image, const uint8_t *at, const uint8_t *end, bool lazy)
{
	uint8_t *place = image->base;
	const char *name = "";
	int64_t addend = 0;

	while (at < end) {
		uint8_t code = *at & 0xf0, small = *at & 0x0f;
		uint64_t count = 0, skip = 0;

		at++;
		switch (code) {
		case 0x00:
			if (!lazy)
				return;
			break;
		case 0x20:
			unsigned_leb(&at);
			break;
		case 0x40:
			name = (const char *)at;
			at += strlen(name) + 1;
			break;
		case 0x60:
			addend = signed_leb(&at);
			break;
		case 0x70:
			place = image->base + image->segments[small] + unsigned_leb(&at);
			break;
		case 0x80:
			place += unsigned_leb(&at);
			break;
		case 0x90:
			count = 1;
			break;
		case 0xa0:
			count = 1;
			skip = unsigned_leb(&at);
			break;
		case 0xb0:
			count = 1;
			skip = small * 8ull;
			break;
		case 0xc0:
			count = unsigned_leb(&at);
			skip = unsigned_leb(&at);
			break;
		}
		for (; count > 0; count--, place += 8 + skip)
			macho_bind(image, place, name, addend);
	}
}
