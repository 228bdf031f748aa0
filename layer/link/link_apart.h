/*
 * Messages to the session on a connection of their own, which touch no memory of the process but the stack:
 * for a vfork child. A message is at most two paths long, and so is an answer. See link_apart.c.
 */
#ifndef LAYER_LINK_APART_H
#define LAYER_LINK_APART_H

#include "question.h"

/* As ask_now(). */
int ask_apart(const struct ask *ask);
/* As ask_tell(). Returns when the session has the message. */
int ask_tell_apart(const struct ask *message);

#endif
