/*
 * Calls that an app reaches past the layer with glibc alone: by libraries that are opened with symbols of
 * their own first (RTLD_DEEPBIND) or in a namespace of their own (dlmopen(3)), and by versions of symbols
 * (dlvsym(3)). See symbols_linux.c.
 */
#include <dlfcn.h>

#include "guard.h"
#include "../ops/processes/exec.h"
#include "libc_table.h"
#include "objects.h"
#include "symbols.h"

typedef void *(*open_call)(const char *, int);
typedef void *(*open_apart_call)(Lmid_t, const char *, int);
typedef void *(*version_call)(void *, const char *, const char *);

LIBC_OWN(open_call, dlopen)
LIBC_OWN(open_apart_call, dlmopen)
LIBC_OWN(version_call, dlvsym)

/* A version asked for passes the layer by under RTLD_DEFAULT too, since its calls have none. */
EXPORTED void *hook_dlvsym(void *handle, const char *name, const char *version) __asm__("dlvsym");
void *hook_dlvsym(void *handle, const char *name, const char *version)
{
	void *call;

	objects_look();
	call = handle == RTLD_NEXT ? symbols_next_call(name, CALLER) : NULL;
	if (call)
		return call;
	if (handle != RTLD_NEXT && symbols_ours(name))
		return symbols_instead(own_dlvsym()(handle, name, version), name, CALLER);
	TAIL return own_dlvsym()(handle, name, version);
}

int symbols_open_flags(int flags)
{
	const struct image *layer;

	if (!(flags & RTLD_DEEPBIND) || !guard_active())
		return flags;
	layer = symbols_self();
	return layer && libc_table_lead(layer) ? flags : flags & ~RTLD_DEEPBIND;
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
	flags = symbols_open_flags(flags);
	TAIL return own_dlmopen()(space, file, flags);
}
