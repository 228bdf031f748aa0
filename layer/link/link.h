/*
 * The connection of this process to its session: its life, and the answer to hello. Questions are in ask.h;
 * ask.c explains how links work.
 */
#ifndef LAYER_LINK_H
#define LAYER_LINK_H

#include <stdbool.h>

#include "hello.h"

/* Once per process image, before anything else; connects nothing. False: no memory. */
bool link_start(void);
/*
 * Around libc's fork: no link is opened meanwhile. In the child the parent's links are the parent's; did it
 * have any?
 */
void link_forking(void);
void link_forked_parent(void);
bool link_forked(void);
/*
 * Set by a door that has hooks, before anything is asked. The function is given whether calls of this thread
 * come from inside the layer; they do not while it waits with signals unblocked: a handler's calls are the
 * app's. It returns what it was given before.
 */
extern bool (*link_set_inside)(bool inside);
/* Is this process the one whose registry and links these are? Not so in a vfork child. */
bool link_owns(void);

/* Connects if need be. 1: the floor is to be caught, 0: it is not, -EIO: the session is lost. */
int link_floor(enum link_floor floor);
/* Is there a link to send on? */
bool link_is_open(void);

/*
 * Is `fd` a link's descriptor? The app does not know them and must not hit them. Cheap for those that are
 * not.
 */
bool link_holds(int fd);
/* The lowest descriptor in [first, last] that is a link's, or -1. */
int link_next(unsigned int first, unsigned int last);
/* Gives the number `fd` free if a link holds it. */
void link_yield(int fd);

#endif
