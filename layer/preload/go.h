/* Go programs, which make their system calls themselves. See go_linux.c. */
#ifndef LAYER_GO_H
#define LAYER_GO_H

#include "images.h"

/* Leads the system calls of the Go code in `image` to the layer. False: that is not possible. */
bool go_lead(const struct image *image);

#endif
