/*
 * The objects that are loaded into this process: the program, its libraries, and those that dlopen(3) added.
 * Read as the dynamic linker keeps them (dl_iterate_phdr(3), elf(5)), without its dlsym(3), which
 * symbols_linux.c takes over.
 */
#ifndef LAYER_IMAGES_H
#define LAYER_IMAGES_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	size_t index; /* its place in the list: the program is 0, what was loaded later comes behind what was there */
	uintptr_t address; /* what is added to the addresses in its file */
	const char *name; /* its path, "" for the program */
	const ElfW(Phdr) *parts;
	size_t count; /* of parts */
};

/* Return true to end the walk. */
typedef bool (*image_visit)(const struct image *image, void *context);

/* Visits every object of this program's namespace, in order. Was it ended? */
bool image_each(image_visit visit, void *context);
/*
 * Visits those that were not visited so before, or all when one ended meanwhile. When nothing was loaded it
 * costs little.
 */
void image_each_new(image_visit visit);
/* The object that `address` lies in. */
bool image_of(const void *address, struct image *found);
/* Is the object one that the program started with? True as long as images_started() was not called. */
bool image_is_early(const struct image *image);
/* Called once, by the layer's constructor: what is loaded from now on is late. */
void images_started(void);
/* Is it libc, or one of its libraries that have calls of hooks.h? */
bool image_is_libc(const struct image *image);
/* The part of the type, or NULL. */
const ElfW(Phdr) *image_part(const struct image *image, unsigned int type);
/*
 * For each symbol that the object defines as `name`: one for each version. `visit` returns true to end the
 * search.
 */
struct image_search {
	const char *name;
	bool (*visit)(const struct image *image, const ElfW(Sym) *symbol, bool is_default, void *context);
	void *context;
};
/* Was it ended? */
bool image_search(const struct image *image, const struct image_search *search);
/* What the object defines as `name` by its default version, as dlsym(3) finds it; NULL. */
void *image_symbol(const struct image *image, const char *name);

#endif
