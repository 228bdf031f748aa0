/* A Mach-O file as the loader has it in memory, and the opcodes that say what to put where. See opcodes.c. */
#ifndef MACHO_IMAGE_H
#define MACHO_IMAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define SEGMENTS 16

struct range {
	uint64_t start, size;
};

struct image {
	const char *path;
	bool inserted;
	uint8_t *file, *base;
	uint64_t lowest, size;
	uint64_t segments[SEGMENTS];
	int segment_count;
	struct range interpose, initialisers, variables, template;
	const uint32_t *info; /* LC_DYLD_INFO_ONLY */
	uint64_t entry;
	pthread_key_t key; /* of its thread-local variables */
};

/* Adds where the image lies to the words that the opcodes name. */
void macho_rebase(struct image *image, const uint8_t *at, const uint8_t *end);
/* Calls macho_bind() for each word; of lazy ones each ends with BIND_OPCODE_DONE. */
void macho_bind_all(struct image *image, const uint8_t *at, const uint8_t *end, bool lazy);
/* The word at `place` becomes what `name` means to the image. */
void macho_bind(struct image *image, uint8_t *place, const char *name, int64_t addend);

#endif
