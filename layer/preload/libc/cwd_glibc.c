/*
 * getwd, and the checked calls of fortified programs that ask for the working directory: libc's own ends the
 * app when `size`, the buffer's, is too small. Called by preload/.
 */
#include <limits.h>
#include <string.h>

#include "../../hooks.h"
#include "../../ops/files/cwd.h"

char *layer___getcwd_chk(char *into, size_t count, size_t size)
{
	return count > size || !cwd_now() ? next___getcwd_chk(into, count, size) : layer_getcwd(into, count);
}

/* getwd(3): what calls it brings PATH_MAX bytes, and no folder here is longer. */
char *layer_getwd(char *into)
{
	return into && cwd_now() ? layer_getcwd(into, PATH_MAX) : next_getwd(into);
}

char *layer___getwd_chk(char *into, size_t size)
{
	const struct cwd_folder *folder = cwd_now();

	if (!folder)
		return next___getwd_chk(into, size);
	/* What does not fit is ended by libc. */
	if (strlen(folder->physical) >= size)
		return next___getcwd_chk(into, size + 1, size);
	return layer_getcwd(into, size);
}
