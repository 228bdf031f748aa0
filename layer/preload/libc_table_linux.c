/*
 * libc's table of symbols, redirected to the layer. A library that is opened with RTLD_DEEPBIND finds its own
 * symbols first, then those of its dependencies, and so libc's before the layer's. The app asked for that
 * order, so it stays: the entries of hooked calls in libc's table in memory are changed to the layer's calls.
 * Done when the first such library is opened, before its constructors run; every other process keeps libc as
 * it is.
 * The invariant: a library behind the layer gets what the entries gave before (libc_table_before()).
 */
#include <elf.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../hooks.h"
#include "../sys/sys.h"
#include "libc_table.h"
#include "../sys/raw.h"
#include "../writable.h"

/*
 * Every name of hooks.h, one behind the other: a list of pointers would be written by ld.so in each process.
 */
#define TEXT(type, name, ...) #name "\0"
#define TEXT_ALIAS(alias, ...) #alias "\0"
#define ONE(...) +1
#define OTHERS "dlopen\0" "dlmopen\0" "dlsym\0" "dlvsym\0" "pthread_create\0" /* symbols_linux.c, objects_linux.c */
static const char names[] = OTHERS LAYER_HOOKS(TEXT) LAYER_LIST_HOOKS(TEXT) LAYER_ALIASES(TEXT_ALIAS) LAYER_FILES_ALIASES(TEXT_ALIAS);
#define COUNT (5 LAYER_HOOKS(ONE) LAYER_LIST_HOOKS(ONE) LAYER_ALIASES(ONE) LAYER_FILES_ALIASES(ONE))

static void *before[COUNT];
static _Atomic(bool) led;

struct entry {
	void *call; /* the layer's */
	void **before;
};

static bool lead_entry(const struct image *libc, const ElfW(Sym) *symbol, bool is_default, void *context)
{
	const struct entry *entry = context;

	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
		return false;
	if (is_default || !*entry->before)
		*entry->before = (void *)(libc->address + symbol->st_value);
	__atomic_store_n((ElfW(Addr) *)writable(&symbol->st_value), (uintptr_t)entry->call - libc->address, __ATOMIC_RELEASE);
	return false;
}

static bool finds(const struct image *libc, const ElfW(Sym) *symbol, bool is_default, void *context)
{
	(void)libc;
	(void)is_default;
	*(const ElfW(Sym) **)context = symbol;
	return true;
}

/* The part of the object that its table of symbols lies in. */
static const ElfW(Phdr) *table_part(const struct image *libc)
{
	const ElfW(Sym) *symbol = NULL;
	struct image_search search = { .visit = finds, .context = &symbol };

	for (search.name = names; *search.name && !image_search(libc, &search);)
		search.name += strlen(search.name) + 1;
	for (size_t i = 0; symbol && i < libc->count; i++)
		if (libc->parts[i].p_type == PT_LOAD &&
		    (uintptr_t)symbol - libc->address - libc->parts[i].p_vaddr < libc->parts[i].p_memsz)
			return &libc->parts[i];
	return NULL;
}

static bool lead(const struct image *libc, void *layer)
{
	const ElfW(Phdr) *part = image_is_libc(libc) && image_is_early(libc) ? table_part(libc) : NULL;
	uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ) - 1, start, end;
	int protection;
	size_t index = 0;

	if (!part)
		return false;
	start = (libc->address + part->p_vaddr) & ~page;
	end = libc->address + part->p_vaddr + part->p_memsz;
	protection = PROT_READ | (part->p_flags & PF_X ? PROT_EXEC : 0);
	if (RAW(SYS_mprotect, start, end - start, protection | PROT_WRITE) < 0)
		return true;
	for (const char *name = names; *name; name += strlen(name) + 1, index++) {
		struct entry entry = { image_symbol(layer, name), &before[index] };
		struct image_search search = { name, lead_entry, &entry };

		if (entry.call)
			image_search(libc, &search);
	}
	RAW(SYS_mprotect, start, end - start, protection);
	return false;
}

bool libc_table_lead(const struct image *layer)
{
	static _Atomic(uint32_t) lock;
	bool done = atomic_load(&led);

	if (done)
		return true;
	sys_lock(&lock);
	done = atomic_load(&led) || !image_each(lead, writable(layer));
	atomic_store(&led, done);
	sys_unlock(&lock);
	return done;
}

void *libc_table_before(const char *name)
{
	size_t index = 0;

	for (const char *at = names; *at; at += strlen(at) + 1, index++)
		if (strcmp(at, name) == 0)
			return before[index];
	return NULL;
}

bool libc_table_shares(const struct image *image)
{
	for (const char *name = names; *name; name += strlen(name) + 1)
		if (image_symbol(image, name))
			return true;
	return false;
}
