/* libc's table of symbols. See libc_table_linux.c. */
#ifndef LAYER_LIBC_TABLE_H
#define LAYER_LIBC_TABLE_H

#include "images.h"

/* Makes a look-up of a hooked call in libc find the one of `layer`. False: that is not possible. */
bool libc_table_lead(const struct image *layer);
/* What libc's entry of `name` gave before it was led; NULL: it was not. */
void *libc_table_before(const char *name);
/* Has the object any call that the layer takes over? */
bool libc_table_shares(const struct image *image);

#endif
