/* The threads and signals that the layer makes for the app. See threads_linux.c. */
#ifndef LAYER_THREADS_H
#define LAYER_THREADS_H

#include <pthread.h>
#include <signal.h>

/* A thread of libc's that runs `run`, detached unless `attributes` are otherwise. 0 or -errno. */
int sys_start_thread(void *(*run)(void *), void *context, const pthread_attr_t *attributes);
/* This thread takes no signals of the app's; or all. */
void sys_shun_signals(void);
void sys_allow_signals(void);
/* Sends this process a signal as an asynchronous look-up does. */
void sys_queue_signal(int number, union sigval value);

#endif
