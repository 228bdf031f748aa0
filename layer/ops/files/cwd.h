/* The app's working directory where that is the target's. See cwd.c. */
#ifndef LAYER_CWD_H
#define LAYER_CWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../link/link.h"

/* A directory of the target. Never changes, never goes. */
struct cwd_folder {
	const char *path; /* as it was meant, absolute: what relative paths are put behind */
	const char *physical; /* what getcwd(2) calls it in the target */
};

/* Has any process that shares this memory ever been in one? */
extern _Atomic(bool) cwd_used;

/* The working directory; NULL: it is the kernel's. */
const struct cwd_folder *cwd_find(void);
static inline const struct cwd_folder *cwd_now(void)
{
	return atomic_load_explicit(&cwd_used, memory_order_acquire) ? cwd_find() : NULL;
}

/* A copy for good; NULL: no memory, or these are no absolute paths of PATH_MAX at most. */
const struct cwd_folder *cwd_keep(struct wire_run path, struct wire_run physical);
/* Becomes the working directory. 0 or -errno. */
int cwd_enter(const struct cwd_folder *folder);
/*
 * The kernel's counts again; what was before, for cwd_restore() if the kernel refuses to go where the app
 * wants.
 */
const struct cwd_folder *cwd_leave(void);
void cwd_restore(const struct cwd_folder *before);

/*
 * `path` with all of its dots as seen from `folder`: itself if it is absolute, empty or NULL, or `folder` is
 * NULL; otherwise made in `into`, of PATH_MAX bytes. NULL: too long.
 */
const char *cwd_behind(const struct cwd_folder *folder, const char *path, char *into);
/*
 * The same as seen from the working directory, if what is relative to that may be the target's: it is its
 * own, or the root.
 */
const struct cwd_folder *cwd_base(void);
static inline const char *cwd_absolute(const char *path, char *into)
{
	return path && path[0] != '/' ? cwd_behind(cwd_base(), path, into) : path;
}

/*
 * The variable by which a child of this session starts in `folder`: its size in the environment, and the
 * entry itself.
 */
size_t cwd_entry_size(const struct cwd_folder *folder);
void cwd_entry(const struct cwd_folder *folder, char *into);
bool cwd_is_entry(const char *entry);
/* The app went somewhere on this machine, or starts there. In a vfork child this has no meaning. */
void cwd_went(void);

/* Once at the start of a program: takes the directory over in which its parent started it. */
void cwd_adopt(void);

#endif
