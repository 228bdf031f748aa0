/*
 * images.h on Linux. Nothing here allocates memory or takes a lock but the dynamic linker's own, which
 * dl_iterate_phdr(3) holds: an allocator asks for its symbols before it can give memory.
 */
#include <elf.h>
#include <stdatomic.h>
#include <string.h>

#include "images.h"

/* The version of a symbol that is not the default one (elf(5), the GNU version sections). */
#define VERSION_HIDDEN 0x8000

static _Atomic(size_t) early; /* how many objects the program started with */

struct walk {
	image_visit visit;
	void *context;
	size_t index;
};

static int step(struct dl_phdr_info *object, size_t size, void *context)
{
	struct walk *walk = context;
	struct image image = { walk->index++, object->dlpi_addr, object->dlpi_name, object->dlpi_phdr, object->dlpi_phnum };

	(void)size;
	return walk->visit(&image, walk->context);
}

bool image_each(image_visit visit, void *context)
{
	struct walk walk = { .visit = visit, .context = context };

	return dl_iterate_phdr(step, &walk) != 0;
}

/*
 * What was met so far; the dynamic linker holds its lock through a walk, so two of them never run at the same
 * time.
 */
static struct {
	unsigned long long loads, unloads;
	size_t count;
} met;

static int step_new(struct dl_phdr_info *object, size_t size, void *context)
{
	struct walk *walk = context;

	if (walk->index == 0) {
		if (met.count > 0 && object->dlpi_adds == met.loads) /* musl counts from 0 */
			return 1;
		/* An object that ended gives its place away. */
		if (object->dlpi_subs != met.unloads)
			met.count = 0;
		met.loads = object->dlpi_adds;
		met.unloads = object->dlpi_subs;
	}
	if (walk->index < met.count) {
		walk->index++;
		return 0;
	}
	met.count = walk->index + 1;
	return step(object, size, context);
}

void image_each_new(image_visit visit)
{
	struct walk walk = { .visit = visit };

	dl_iterate_phdr(step_new, &walk);
}

struct search {
	uintptr_t address;
	struct image *found;
};

static bool holds(const struct image *image, void *context)
{
	struct search *search = context;

	for (size_t i = 0; i < image->count; i++) {
		uintptr_t start = image->address + image->parts[i].p_vaddr;

		if (image->parts[i].p_type == PT_LOAD && search->address - start < image->parts[i].p_memsz) {
			*search->found = *image;
			return true;
		}
	}
	return false;
}

bool image_of(const void *address, struct image *found)
{
	struct search search = { (uintptr_t)address, found };

	return image_each(holds, &search);
}

static bool counted(const struct image *image, void *count)
{
	*(size_t *)count = image->index + 1;
	return false;
}

void images_started(void)
{
	size_t count = 0;

	image_each(counted, &count);
	atomic_store(&early, count);
}

bool image_is_early(const struct image *image)
{
	size_t count = atomic_load(&early);

	return count == 0 || image->index < count;
}

const ElfW(Phdr) *image_part(const struct image *image, unsigned int type)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->parts[i].p_type == type)
			return &image->parts[i];
	return NULL;
}

struct tables {
	const ElfW(Sym) *symbols;
	const char *strings;
	const ElfW(Half) *versions;
	const uint32_t *gnu, *plain;
};

static bool read_tables(const struct image *image, struct tables *tables)
{
	const ElfW(Phdr) *part = image_part(image, PT_DYNAMIC);

	memset(tables, 0, sizeof(*tables));
	if (!part)
		return false;
	for (const ElfW(Dyn) *one = (const void *)(image->address + part->p_vaddr); one->d_tag != DT_NULL; one++) {
		/*
		 * glibc writes real addresses into the section, but where it may not be written to (the
		 * kernel's object).
		 */
		uintptr_t at = one->d_un.d_ptr < image->address ? image->address + one->d_un.d_ptr : one->d_un.d_ptr;

		if (one->d_tag == DT_SYMTAB)
			tables->symbols = (const void *)at;
		if (one->d_tag == DT_STRTAB)
			tables->strings = (const void *)at;
		if (one->d_tag == DT_VERSYM)
			tables->versions = (const void *)at;
		if (one->d_tag == DT_GNU_HASH)
			tables->gnu = (const void *)at;
		if (one->d_tag == DT_HASH)
			tables->plain = (const void *)at;
	}
	return tables->symbols && tables->strings;
}

/* Looks at the symbol; true ends the search. */
static bool is_it(const struct image *image, const struct tables *tables, uint32_t index, const struct image_search *search)
{
	const ElfW(Sym) *symbol = &tables->symbols[index];
	bool hidden = tables->versions && (tables->versions[index] & VERSION_HIDDEN);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
	       strcmp(tables->strings + symbol->st_name, search->name) == 0 &&
	       search->visit(image, symbol, !hidden, search->context);
}

/*
 * The table of DT_GNU_HASH: four words, a Bloom filter of addresses' size, buckets, chains that end with an
 * odd hash.
 */
static bool search_gnu(const struct image *image, const struct tables *tables, const struct image_search *search)
{
	const uint32_t *gnu = tables->gnu, *buckets = gnu + 4 + gnu[2] * (sizeof(ElfW(Addr)) / sizeof(*gnu));
	const uint32_t *chains = buckets + gnu[0];
	uint32_t hash = 5381, index;

	for (const unsigned char *at = (const unsigned char *)search->name; *at; at++)
		hash = hash * 33 + *at;
	index = gnu[0] > 0 ? buckets[hash % gnu[0]] : 0;
	if (index < gnu[1])
		return false;
	for (;; index++) {
		uint32_t other = chains[index - gnu[1]];

		if ((other | 1) == (hash | 1) && is_it(image, tables, index, search))
			return true;
		if (other & 1)
			return false;
	}
}

/* The table of DT_HASH: two sizes, buckets, chains that end with 0. */
static bool search_plain(const struct image *image, const struct tables *tables, const struct image_search *search)
{
	const uint32_t *buckets = tables->plain + 2, *chains = buckets + tables->plain[0];
	uint32_t hash = 0, index;

	for (const unsigned char *at = (const unsigned char *)search->name; *at; at++) {
		hash = (hash << 4) + *at;
		hash = (hash ^ ((hash & 0xf0000000) >> 24)) & 0x0fffffff;
	}
	for (index = tables->plain[0] > 0 ? buckets[hash % tables->plain[0]] : 0; index != 0; index = chains[index])
		if (is_it(image, tables, index, search))
			return true;
	return false;
}

bool image_search(const struct image *image, const struct image_search *search)
{
	struct tables tables;

	if (!read_tables(image, &tables))
		return false;
	if (tables.gnu)
		return search_gnu(image, &tables, search);
	return tables.plain && search_plain(image, &tables, search);
}

static bool takes_default(const struct image *image, const ElfW(Sym) *symbol, bool is_default, void *found)
{
	if (is_default)
		*(void **)found = (void *)(image->address + symbol->st_value);
	return is_default;
}

void *image_symbol(const struct image *image, const char *name)
{
	void *found = NULL;
	struct image_search search = { name, takes_default, &found };

	image_search(image, &search);
	return found;
}
