/* Which paths may be the target's, as far as the layer can tell without asking. See paths.c. */
#ifndef LAYER_PATHS_H
#define LAYER_PATHS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes over what a hello's answer said: are files caught, and the rules. The first answer stands for the
 * process's life.
 */
void paths_learn(bool caught, const char *rules, size_t length);
/* False until the session said that files are caught. */
bool paths_caught(void);
/* Have the session's rules come yet? */
bool paths_known(void);
/* Is the absolute, normalised path surely local? Without rules only system folders are. */
bool paths_is_local(const char *path, size_t length);
/* Is the folder surely local with all that may lie below it? */
bool paths_tree_is_local(const char *path, size_t length);

/*
 * Writes `path` without ".", ".." and "//" into `into` (PATH_MAX bytes), terminated; one slash at the end
 * stays. Of a relative path leading ".." stay. Returns the length, -ENOENT for an empty path, -ENAMETOOLONG.
 */
int paths_normalise(const char *path, char *into);
/* 1 or 2 when "." or ".." is the last component, with slashes behind it or not; otherwise 0. */
int paths_last_dots(const char *path);
/* N of /proc/self/fd/N, /dev/fd/N and the three /dev/std*; -1 for any other path. Normalised. */
int paths_descriptor(const char *path);

#endif
