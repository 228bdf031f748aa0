/* The way to the session's sockets for a process that has changed its user. See way.c. */
#ifndef LAYER_WAY_H
#define LAYER_WAY_H

#include <stdbool.h>

/* sun_path of unix(7), with its terminating zero. */
#define WAY_BYTES 108

/* Keeps the way to the folder of `socket` open, if this process is root. */
void way_open(const char *socket);
/*
 * Another path of `socket`, or of one beside it, that needs no more rights than the way's: WAY_BYTES. False:
 * there is none.
 */
bool way_path(const char *socket, char *into);
/* sys_connect_unix(), by that path where the first is forbidden. */
int way_connect(const char *socket);

/* The way's descriptor, which the app must not hit, as those of links; -1: there is none. */
int way_descriptor(void);
/* Gives the number `fd` free if it is the way's. */
void way_yield(int fd);

#endif
