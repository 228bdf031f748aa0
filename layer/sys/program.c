/* What of program.h is the same everywhere: a program's name, and where it is found. */
#include <string.h>

#include "program.h"

const char *program_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool program_find(const char *name, const char *search, char path[PROGRAM_PATH_BYTES])
{
	size_t length = strlen(name), folder;

	if (length == 0 || length >= PROGRAM_PATH_BYTES)
		return false;
	if (strchr(name, '/')) {
		memcpy(path, name, length + 1);
		return true;
	}
	for (const char *at = search ? search : PROGRAM_SEARCH; at; at = at[folder] ? at + folder + 1 : NULL) {
		folder = strcspn(at, ":");
		if (folder + length + 2 > PROGRAM_PATH_BYTES)
			continue;
		memcpy(path, at, folder);
		if (folder > 0)
			path[folder] = '/';
		memcpy(path + folder + (folder > 0), name, length + 1);
		if (program_exists(path))
			return true;
	}
	return false;
}
