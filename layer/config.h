/* What the session told this process through its environment. See config.c. */
#ifndef LAYER_CONFIG_H
#define LAYER_CONFIG_H

#include <stdbool.h>
#include <sys/types.h>

/* Reads the environment once; true when this process belongs to a session. */
bool config_read(void);
/* Path of the session's socket; valid once config_read() said true. */
const char *config_socket(void);
/* The session's process; 0 when it was not named. */
pid_t config_session(void);

#endif
