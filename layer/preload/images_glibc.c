/* Which object is libc, with glibc: several, by their names (images.h). */
#include <string.h>

#include "images.h"

bool image_is_libc(const struct image *image)
{
	static const char *const names[] = { "libc.so.6", "libpthread.so.0", "libdl.so.2", "libresolv.so.2", "libanl.so.1",
					     "librt.so.1" };
	const char *slash = strrchr(image->name, '/');

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(slash ? slash + 1 : image->name, names[i]) == 0)
			return true;
	return false;
}
