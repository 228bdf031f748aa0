/* What the session passed to this process through its environment. See config.c. */
#ifndef LAYER_CONFIG_H
#define LAYER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * What a child needs to be in the session too: whole entries of the environment, the first names the socket.
 */
#define CONFIG_KEPT 3
struct config_kept {
	size_t count;
	const char *entries[CONFIG_KEPT];
	char library[1024]; /* path of this library; "" when it is not known */
	char preload[1024]; /* what LD_PRELOAD has for it, which may lead programs with another C library to another */
};

/* Reads the environment once; true when this process belongs to a session. */
bool config_read(void);
/* Path of the session's socket; valid once config_read() said true. */
const char *config_socket(void);
/* The session's process; 0 when it was not named. */
pid_t config_session(void);
const struct config_kept *config_kept(void);
/* Is a program of this name to run without the layer? */
bool config_skips(const char *name);

#endif
