/*
 * The Linux edge of the preload door: exports every call of hooks.h under libc's name and finds libc's own
 * behind it. The app's dynamic linker binds to these because the layer stands in LD_PRELOAD (ld.so(8)).
 * Nothing is decided here. A call is looked up when it is first needed, so a hook works before the layer's
 * constructor ran.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../hooks.h"
#include "lists.h"
#include "symbols.h"

/* What a call returns that is missing in this libc: -1, or NULL where it returns a pointer. */
static long missing(bool number)
{
	errno = ENOSYS;
	return number ? -1 : 0;
}
#define IS_NUMBER(type) (__builtin_types_compatible_p(type, int) || __builtin_types_compatible_p(type, long))

/*
 * libc's own. Since 2.34 glibc exports some calls by their plain name, and by the one with underlines for old
 * programs only, which dlsym passes over.
 */
static void *find(const char *name)
{
	int saved = errno;
	void *found = symbols_next(name);

	if (!found && name[0] == '_' && name[1] == '_')
		found = symbols_next(name + 2);
	errno = saved;
	return found;
}

/*
 * The symbol is given to the assembler only, so that libc's prototypes (transparent unions, varargs) do not
 * clash. Of a symbol with several versions dlsym gives the default one (dlsym(3)), and ours stands for all of
 * them. fcntl takes its optional argument in a register on x86_64 and aarch64 whether it is named or not.
 */
#define EDGE(type, name, parameters, arguments) \
	static _Atomic(void *) slot_##name; \
	type next_##name parameters \
	{ \
		void *found = atomic_load_explicit(&slot_##name, memory_order_relaxed); \
		if (!found) { \
			found = find(#name); \
			if (!found) \
				return (type)missing(IS_NUMBER(type)); \
			atomic_store_explicit(&slot_##name, found, memory_order_relaxed); \
		} \
		return ((type (*) parameters)found)arguments; \
	} \
	__attribute__((visibility("default"))) type hook_##name parameters __asm__(#name); \
	type hook_##name parameters \
	{ \
		return layer_##name arguments; \
	}
LAYER_HOOKS(EDGE)

#define LIST_EDGE(type, name, made) \
	__attribute__((visibility("default"))) type hook_##name(const char *path, const char *first, ...) __asm__(#name); \
	type hook_##name(const char *path, const char *first, ...) \
	LIST_BODY(type, made)
LAYER_LIST_HOOKS(LIST_EDGE)

#define ALIAS(alias, type, name, parameters, arguments) \
	__attribute__((visibility("default"))) type hook##alias parameters __asm__(#alias); \
	type hook##alias parameters \
	{ \
		return layer_##name arguments; \
	}
LAYER_ALIASES(ALIAS)

#define SECOND_NAME(second, name) \
	extern __typeof__(hook_##name) hook_also_##second __asm__(#second) \
		__attribute__((alias(#name), visibility("default")));
LAYER_FILES_ALIASES(SECOND_NAME)
