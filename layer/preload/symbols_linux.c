/*
 * Calls of libc that an app reaches past the order of symbols, in which the layer comes before libc: by
 * look-ups by name, and by what symbols_glibc.c adds. libc identifies an object that calls dlopen(3) or
 * dlsym(3) by the return address, so where that matters libc's own call replaces the hook on the stack
 * (musttail).
 * The invariant: a library between the layer and libc (an allocator, a preloaded library) gets libc's own
 * calls, since the layer's would lead back to it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "objects.h"
#include "libc_table.h"
#include "symbols.h"
#include "../writable.h"

typedef void *(*open_call)(const char *, int);
typedef void *(*symbol_call)(void *, const char *);

const struct image *symbols_self(void)
{
	static struct image image;
	static _Atomic(bool) known;

	if (!atomic_load_explicit(&known, memory_order_acquire)) {
		struct image found;

		if (!image_of((const void *)symbols_self, &found))
			return NULL;
		image = found; /* of two threads, both write the same */
		atomic_store_explicit(&known, true, memory_order_release);
	}
	return &image;
}

void *symbols_ours(const char *name)
{
	const struct image *layer = symbols_self();

	return layer && name ? image_symbol(layer, name) : NULL;
}

struct wanted {
	const char *name;
	void *found;
};

static bool find_in_libc(const struct image *image, void *context)
{
	struct wanted *wanted = context;

	wanted->found = image_is_libc(image) ? image_symbol(image, wanted->name) : NULL;
	return wanted->found != NULL;
}

/*
 * A call behind the layer, which must not lead back to it: `found`, or what it was before libc's table was
 * led.
 */
static void *behind(void *found, const char *name)
{
	void *call = found ? symbols_ours(name) : NULL;

	return call && found == call ? libc_table_before(name) : found;
}

void *symbols_libc_own(_Atomic(void *) *slot, const char *name)
{
	struct wanted wanted = { .name = name, .found = atomic_load_explicit(slot, memory_order_relaxed) };

	if (!wanted.found) {
		image_each(find_in_libc, &wanted);
		wanted.found = behind(wanted.found, name);
		atomic_store_explicit(slot, wanted.found, memory_order_relaxed);
	}
	return wanted.found;
}

LIBC_OWN(open_call, dlopen)
LIBC_OWN(symbol_call, dlsym)

void *symbols_next(const char *name)
{
	return behind(own_dlsym()(RTLD_NEXT, name), name);
}

enum place {
	BEFORE, /* the program; and what is not known */
	BETWEEN, /* a library behind the layer that the program started with, or the layer */
	LATE,
};

static enum place place_of(const void *address, struct image *caller)
{
	const struct image *layer = symbols_self();

	if (!layer || !image_of(address, caller))
		return BEFORE;
	if (!image_is_early(caller))
		return LATE;
	return caller->index >= layer->index ? BETWEEN : BEFORE;
}

void *symbols_instead(void *found, const char *name, const void *address)
{
	void *call = found ? symbols_ours(name) : NULL;
	struct image caller, image;

	if (!call || (found != call && !(image_of(found, &image) && image_is_libc(&image))))
		return found;
	if (place_of(address, &caller) == BETWEEN && image_symbol(&caller, name))
		return behind(found, name);
	return call;
}

struct next {
	const char *name;
	size_t from;
	void *found;
};

static bool find_next(const struct image *image, void *context)
{
	struct next *next = context;

	if (image->index > next->from && image_is_early(image))
		next->found = image_symbol(image, next->name);
	return next->found != NULL;
}

/*
 * Of an object that came late the next are those that it needs, and never the layer. For a library behind the
 * layer libc's table must not lead back.
 */
void *symbols_next_call(const char *name, const void *address)
{
	void *call = symbols_ours(name);
	struct image caller;
	enum place place = call ? place_of(address, &caller) : BEFORE;
	struct next next = { .name = name };

	if (place == BEFORE)
		return NULL;
	if (place == LATE)
		return symbols_next(name) ? call : NULL;
	next.from = caller.index;
	image_each(find_next, &next);
	return next.found == call ? libc_table_before(name) : NULL;
}

static bool shares_calls(const struct image *image, void *layer)
{
	const size_t from = ((const struct image *)layer)->index;

	return image->index > from && image_is_early(image) && !image_is_libc(image) && libc_table_shares(image);
}

bool symbols_next_to_libc(void)
{
	enum { UNKNOWN, NEXT, BEHIND };
	static _Atomic(int) answer;
	int known = atomic_load_explicit(&answer, memory_order_relaxed);
	const struct image *layer = symbols_self();

	if (known == UNKNOWN) {
		known = layer && image_each(shares_calls, writable(layer)) ? BEHIND : NEXT;
		atomic_store_explicit(&answer, known, memory_order_relaxed);
	}
	return known == NEXT;
}

EXPORTED void *hook_dlsym(void *handle, const char *name) __asm__("dlsym");
void *hook_dlsym(void *handle, const char *name)
{
	void *call;

	objects_look();
	call = handle == RTLD_NEXT ? symbols_next_call(name, CALLER) : NULL;
	if (call)
		return call;
	if (handle != RTLD_NEXT && handle != RTLD_DEFAULT && symbols_ours(name))
		return symbols_instead(own_dlsym()(handle, name), name, CALLER);
	TAIL return own_dlsym()(handle, name);
}

EXPORTED void *hook_dlopen(const char *file, int flags) __asm__("dlopen");
void *hook_dlopen(const char *file, int flags)
{
	void *opened;

	flags = symbols_open_flags(flags);
	/*
	 * Such a path means the same whatever object opens it (dlopen(3), ld.so(8)); a Go plugin is opened by
	 * one.
	 */
	if (file && strchr(file, '/') && !strchr(file, '$')) {
		opened = own_dlopen()(file, flags);
		objects_look();
		return opened;
	}
	TAIL return own_dlopen()(file, flags);
}
