/* Streams of stdio whose descriptor is a remote file. See streams_glibc.c and libc/stream_musl.c. */
#ifndef LAYER_STREAMS_H
#define LAYER_STREAMS_H

#include <stdbool.h>

/* Leads libc's streams to the functions of libc/stream_calls.h, once. False: this libc cannot be led. */
bool streams_lead(void);

#endif
