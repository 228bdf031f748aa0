/* Can the layer get into a program that is about to be run? Implemented per platform in preload/. */
#ifndef LAYER_PROGRAM_H
#define LAYER_PROGRAM_H

#include <stdbool.h>

#define PROGRAM_PATH_BYTES 1024

/* Finds the file that `name` runs as, searched in `search` (PATH) when it has no slash (execvp(3)). False: none, or too long. */
bool program_find(const char *name, const char *search, char path[PROGRAM_PATH_BYTES]);
/* Follows a script to its interpreter: `path` becomes the file that the kernel loads (execve(2), "Interpreter scripts"). */
void program_follow(char path[PROGRAM_PATH_BYTES]);
/* Why the dynamic linker does not load us into `path`, in words; NULL when it does, or when that cannot be told. */
const char *program_obstacle(const char *path);
/* What stands behind the last slash. */
const char *program_name(const char *path);

#endif
