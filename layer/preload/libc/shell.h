/* system(3) and popen(3) from a working directory of the target. See shell.c. */
#ifndef LAYER_SHELL_H
#define LAYER_SHELL_H

#include <stdbool.h>
#include <stdio.h>

/* What system(3), with a command, and popen(3) return. */
int shell_run(const char *command);
FILE *shell_open(const char *command, const char *mode);
/* Is it a mode that popen(3) takes? */
bool shell_opens(const char *mode);
/* pclose(3) of a stream of shell_open(): *status is what that returns. False: it is none. */
bool shell_close(FILE *file, int *status);

#endif
