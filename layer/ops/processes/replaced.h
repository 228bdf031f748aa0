/* What is started in the place of a program that the app starts, on macOS. See replaced_darwin.c. */
#ifndef LAYER_REPLACED_H
#define LAYER_REPLACED_H

#include <stddef.h>

#include "../../sys/program.h"

/* The session's answer: what to start, and the words that stand in the place of the first argument. */
struct replaced {
	char path[PROGRAM_PATH_BYTES];
	size_t length; /* of the words, each ended by a zero; 0: the first argument stays */
	char words[2 * PROGRAM_PATH_BYTES];
};

/*
 * Asks about the program at `path`. 0, or the -errno with which the call fails: the session said why. What is
 * no program, and one that runs without the layer by the developer's wish, is started as it is.
 */
int replaced_ask(const char *path, struct replaced *answer);
/* How many words there are; and argv with them, in `into`, which has room for all. */
size_t replaced_count(const struct replaced *answer);
void replaced_arguments(const struct replaced *answer, char *const argv[], char **into);

#endif
