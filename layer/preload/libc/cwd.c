/*
 * getcwd and its family: the app's working directory in the target, if it has one. Memory for the app,
 * checked sizes, and the name in PWD belong to libc's own level.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../../ops/files/cwd.h"

/* getcwd(3): memory for the app when it brings none, as much as it asks for, or as is needed. */
static char *tell(const char *path, char *into, size_t size)
{
	size_t needed = strlen(path) + 1;

	if (into && size == 0) {
		errno = EINVAL;
		return NULL;
	}
	if (size > 0 && size < needed) {
		errno = ERANGE;
		return NULL;
	}
	if (!into)
		into = malloc(size > 0 ? size : needed);
	return into ? memcpy(into, path, needed) : NULL;
}

char *layer_getcwd(char *into, size_t size)
{
	const struct cwd_folder *folder = cwd_now();

	return folder ? tell(folder->physical, into, size) : next_getcwd(into, size);
}

#ifdef __linux__
/* PWD, if that is the same directory. */
char *layer_get_current_dir_name(void)
{
	const struct cwd_folder *folder = cwd_now();
	const char *name = getenv("PWD");
	struct stat named, here;
	int saved = errno;
	bool same;

	if (!folder)
		return next_get_current_dir_name();
	same = name && layer_stat(".", &here) == 0 && layer_stat(name, &named) == 0 && named.st_dev == here.st_dev &&
	       named.st_ino == here.st_ino;
	errno = saved;
	return tell(same ? name : folder->physical, NULL, 0);
}
#endif
