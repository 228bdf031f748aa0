/*
 * Which object is libc, with musl: its dynamic linker (images.h). It goes by the name that the program has
 * for it (PT_INTERP) or that it was called by, so it is known by calls that no other object defines.
 */
#include "images.h"

bool image_is_libc(const struct image *image)
{
	return image_symbol(image, "__libc_start_main") && image_symbol(image, "dl_iterate_phdr");
}
