/*
 * Objects with system calls of their own. Go code is redirected to the layer: the program itself, and
 * libraries (c-shared, plugins), whether the program needs them or opens them by dlopen(3). Each has a
 * runtime of its own that makes its own system calls, or shares the program's.
 * A library must be redirected before its code runs. Its constructor starts its runtime by a thread of
 * libc's, so the layer looks for new objects in that call; a plugin's code runs after dlopen(3). What cannot
 * be redirected is reported to the session, and so is a library with a C library inside.
 */
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "go.h"
#include "guard.h"
#include "../ops/processes/exec.h"
#include "../sys/program.h"
#include "../sys/sys.h"
#include "objects.h"
#include "own_calls.h"
#include "symbols.h"

/*
 * Objects that are remembered as met, for all are looked at again after one ended; more than any program has
 * of these.
 */
#define KNOWN 64

static _Atomic(uintptr_t) known[KNOWN];

/* A note of the name "Go" is the build id of Go's linker (elf(5)). */
static bool has_go_note(const unsigned char *at, size_t length)
{
	while (length >= sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
		size_t size = sizeof(*note) + ((note->n_namesz + 3) & ~3u) + ((note->n_descsz + 3) & ~3u);

		if (note->n_namesz == 4 && memcmp(note + 1, "Go\0", 4) == 0)
			return true;
		if (size > length)
			return false;
		at += size;
		length -= size;
	}
	return false;
}

static bool is_go(const struct image *image)
{
	for (size_t i = 0; i < image->count; i++)
		if (image->parts[i].p_type == PT_NOTE &&
		    has_go_note((const void *)(image->address + image->parts[i].p_vaddr), image->parts[i].p_memsz))
			return true;
	return false;
}

/* True for the caller that must handle it: not met before. */
static bool is_new(uintptr_t address)
{
	for (size_t i = 0; i < KNOWN; i++) {
		uintptr_t found = 0;

		if (atomic_compare_exchange_strong(&known[i], &found, address + 1))
			return true;
		if (found == address + 1)
			return false;
	}
	return false;
}

static void tell(const struct image *image, const char *reason)
{
	char program[PROGRAM_PATH_BYTES];

	if (!image->name[0])
		program[sys_executable(program, sizeof(program) - 1)] = 0;
	exec_tell(image->name[0] ? image->name : program, reason);
}

static bool meet(const struct image *image, void *unused)
{
	bool go = is_go(image);

	(void)unused;
	if (!(go || own_calls(image)) || !guard_active() || !is_new(image->address))
		return false;
	if (!go)
		tell(image, "it is linked with a C library of its own");
	else if (!go_lead(image))
		tell(image, "it is Go code of a kind that makes system calls past the layer");
	return false;
}

void objects_look(void)
{
	image_each_new(meet);
}

typedef int (*create_call)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

__attribute__((visibility("default"))) int hook_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
							       void *(*run)(void *), void *argument) __asm__("pthread_create");
int hook_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	static _Atomic(create_call) slot;
	create_call create = atomic_load_explicit(&slot, memory_order_relaxed);

	if (!create) {
		create = (create_call)symbols_next("pthread_create");
		if (!create)
			return ENOSYS;
		atomic_store_explicit(&slot, create, memory_order_relaxed);
	}
	objects_look();
	return create(thread, attributes, run, argument);
}

__attribute__((constructor)) static void objects_started(void)
{
	images_started();
	objects_look();
}
