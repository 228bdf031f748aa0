/* What becomes of an object whose last descriptor of this process ended. See descriptors.c. */
#ifndef LAYER_DESCRIPTORS_H
#define LAYER_DESCRIPTORS_H

#include "fds.h"

/* Tells the floor that noted it; a floor that waits for such an end adds its state there. Inside the guard. */
void descriptors_ended(const struct fds_note *note);

#endif
