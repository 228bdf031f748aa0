/* gai_suspend(3). See suspend_glibc.c. */
#ifndef LAYER_SUSPEND_H
#define LAYER_SUSPEND_H

#include <netdb.h>
#include <time.h>

/* 0, EAI_AGAIN after the time, EAI_INTR, EAI_ALLDONE. */
int requests_suspend(const struct gaicb *const *list, int count, const struct timespec *timeout);

#endif
