/* libc's own of a call, behind the layer in the order of symbols. See symbols_linux.c. */
#ifndef LAYER_SYMBOLS_H
#define LAYER_SYMBOLS_H

/* dlsym(3) with RTLD_NEXT as the layer asks it. */
void *symbols_next(const char *name);

#endif
