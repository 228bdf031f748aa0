/*
 * This program, and others: can one that is about to be run load the layer? Implemented per platform, what is
 * the same everywhere in program.c.
 */
#ifndef LAYER_PROGRAM_H
#define LAYER_PROGRAM_H

#include <stdbool.h>

#define PROGRAM_PATH_BYTES 1024
/*
 * The variable by which a dynamic linker loads the layer, what stands between libraries in it, and where
 * libc looks for programs without PATH (execvp(3)).
 */
#ifdef __APPLE__
#define PROGRAM_PRELOAD_NAME "DYLD_INSERT_LIBRARIES"
#define PROGRAM_PRELOAD_BETWEEN ":"
#define PROGRAM_SEARCH "/usr/bin:/bin"
#else
#define PROGRAM_PRELOAD_NAME "LD_PRELOAD"
#define PROGRAM_PRELOAD_BETWEEN ": "
#define PROGRAM_SEARCH "/bin:/usr/bin"
#endif

#define PROGRAM_PRELOAD PROGRAM_PRELOAD_NAME "="

/* Is it a file that may be run? */
bool program_exists(const char *path);
/*
 * Finds the file that `name` runs as, searched in `search` (PATH) when it has no slash (execvp(3)). False:
 * none, or too long.
 */
bool program_find(const char *name, const char *search, char path[PROGRAM_PATH_BYTES]);
/*
 * Follows a script to its interpreter: `path` becomes the file that the kernel loads (execve(2), "Interpreter
 * scripts").
 */
void program_follow(char path[PROGRAM_PATH_BYTES]);
/*
 * Why the dynamic linker does not load what `preload` names into `path`, in words; NULL when it does, or when
 * that is unknown.
 */
const char *program_obstacle(const char *path, const char *preload);
/* Why no program that is run from here can load `library`, in words; NULL when it can. */
const char *program_bare(const char *library);
/* The environment as the app has it now; and the name that it was called by, or NULL. */
char **program_environment(void);
const char *program_called_as(void);
/* What stands behind the last slash. */
const char *program_name(const char *path);

#endif
