/*
 * Calls of libc that an app reaches past the order of symbols, in which the layer comes before libc: by
 * libraries that are opened with symbols of their own first (RTLD_DEEPBIND) or in a namespace of their own,
 * and by look-ups by name. libc identifies an object that calls dlopen(3) or dlsym(3) by the return address,
 * so where that matters libc's own call replaces the hook on the stack (musttail).
 * The invariant: a library between the layer and libc (an allocator, a preloaded library) gets libc's own
 * calls, since the layer's would lead back to it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "guard.h"
#include "../ops/processes/exec.h"
#include "../sys/sys.h"
#include "objects.h"
#include "images.h"
#include "libc_table.h"
#include "symbols.h"
#include "../writable.h"

#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

typedef void *(*open_call)(const char *, int);
typedef void *(*open_apart_call)(Lmid_t, const char *, int);
typedef void *(*symbol_call)(void *, const char *);
typedef void *(*version_call)(void *, const char *, const char *);

/* The layer itself. */
static const struct image *self(void)
{
	static struct image image;
	static _Atomic(bool) known;

	if (!atomic_load_explicit(&known, memory_order_acquire)) {
		struct image found;

		if (!image_of((const void *)self, &found))
			return NULL;
		image = found; /* of two threads, both write the same */
		atomic_store_explicit(&known, true, memory_order_release);
	}
	return &image;
}

/* The layer's call of the name; NULL: it takes none over. */
static void *ours(const char *name)
{
	const struct image *layer = self();

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
	void *call = found ? ours(name) : NULL;

	return call && found == call ? libc_table_before(name) : found;
}

static void *libc_own(_Atomic(void *) *slot, const char *name)
{
	struct wanted wanted = { .name = name, .found = atomic_load_explicit(slot, memory_order_relaxed) };

	if (!wanted.found) {
		image_each(find_in_libc, &wanted);
		wanted.found = behind(wanted.found, name);
		atomic_store_explicit(slot, wanted.found, memory_order_relaxed);
	}
	return wanted.found;
}

/*
 * The caller's address stays the one that libc sees. Other compilers than the layer's only look at this file
 * (tests/layer/analysis_test.ts).
 */
#ifdef __clang__
#define TAIL __attribute__((musttail))
#else
#define TAIL
#endif

#define LIBC_OWN(type, name) \
	static type own_##name(void) \
	{ \
		static _Atomic(void *) slot; \
		return (type)libc_own(&slot, #name); \
	}
LIBC_OWN(open_call, dlopen)
LIBC_OWN(open_apart_call, dlmopen)
LIBC_OWN(symbol_call, dlsym)
LIBC_OWN(version_call, dlvsym)

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
	const struct image *layer = self();

	if (!layer || !image_of(address, caller))
		return BEFORE;
	if (!image_is_early(caller))
		return LATE;
	return caller->index >= layer->index ? BETWEEN : BEFORE;
}

/* What the app gets for `found`, which libc found by an order in which the layer does not stand. */
static void *instead(void *found, const char *name, const void *address)
{
	void *call = found ? ours(name) : NULL;
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
 * RTLD_NEXT of a hooked call, or NULL where libc's own answer is right. Of an object that came late the next
 * are those that it needs, and never the layer. For a library behind the layer libc's table must not lead
 * back.
 */
static void *next_call(const char *name, const void *address)
{
	void *call = ours(name);
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
	const struct image *layer = self();

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
	call = handle == RTLD_NEXT ? next_call(name, CALLER) : NULL;
	if (call)
		return call;
	if (handle != RTLD_NEXT && handle != RTLD_DEFAULT && ours(name))
		return instead(own_dlsym()(handle, name), name, CALLER);
	TAIL return own_dlsym()(handle, name);
}

/* A version asked for passes the layer by under RTLD_DEFAULT too, since its calls have none. */
EXPORTED void *hook_dlvsym(void *handle, const char *name, const char *version) __asm__("dlvsym");
void *hook_dlvsym(void *handle, const char *name, const char *version)
{
	void *call;

	objects_look();
	call = handle == RTLD_NEXT ? next_call(name, CALLER) : NULL;
	if (call)
		return call;
	if (handle != RTLD_NEXT && ours(name))
		return instead(own_dlvsym()(handle, name, version), name, CALLER);
	TAIL return own_dlvsym()(handle, name, version);
}

/* The flags to open a library with, so that what it finds in libc is the layer's where that is hooked. */
static int led(int flags)
{
	const struct image *layer;

	if (!(flags & RTLD_DEEPBIND) || !guard_active())
		return flags;
	layer = self();
	return layer && libc_table_lead(layer) ? flags : flags & ~RTLD_DEEPBIND;
}

EXPORTED void *hook_dlopen(const char *file, int flags) __asm__("dlopen");
void *hook_dlopen(const char *file, int flags)
{
	void *opened;

	flags = led(flags);
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

/*
 * A new namespace has a C library of its own, which the layer does not stand before. So the library comes
 * into the app's namespace, where its symbols are its own as they would be, unless it is there already: two
 * of it may be what is wanted.
 */
static Lmid_t namespace_for(const char *file, int flags)
{
	void *there;

	if (!file || !guard_active())
		return LM_ID_NEWLM;
	there = own_dlopen()(file, (flags & ~(RTLD_DEEPBIND | RTLD_GLOBAL)) | RTLD_NOLOAD | RTLD_LAZY);
	if (!there)
		return LM_ID_BASE;
	dlclose(there);
	exec_tell(file, "it is loaded a second time, with a C library of its own (dlmopen)");
	return LM_ID_NEWLM;
}

EXPORTED void *hook_dlmopen(Lmid_t space, const char *file, int flags) __asm__("dlmopen");
void *hook_dlmopen(Lmid_t space, const char *file, int flags)
{
	if (space == LM_ID_NEWLM)
		space = namespace_for(file, flags);
	flags = led(flags);
	TAIL return own_dlmopen()(space, file, flags);
}
