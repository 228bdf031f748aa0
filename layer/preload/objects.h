/* What is loaded into this process with system calls of its own, whenever it came in. See objects_linux.c. */
#ifndef LAYER_OBJECTS_H
#define LAYER_OBJECTS_H

#include "images.h"

/*
 * Examines what was loaded since the last call: Go code is redirected to the layer, what cannot be hooked is
 * reported.
 */
void objects_look(void);

#endif
