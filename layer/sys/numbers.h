/*
 * Numbers of system calls that the wire has as Linux on x86_64 has them: errnos, flags, moments, devices.
 * Operations translate by these what they send and what they are answered, and nothing else does; on Linux
 * most are the same. Below: names that one platform has and another lacks. Implemented per platform here.
 */
#ifndef LAYER_NUMBERS_H
#define LAYER_NUMBERS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* An errno of the wire as this platform's; EIO for what it has not. Both are positive. */
int numbers_errno(uint32_t wire);
/* Flags of open(2), as the wire has them. */
uint32_t numbers_open(int flags);
/* AT_* flags, as the wire has them. */
uint32_t numbers_at(int flags);
/* SEEK_*, as the wire has it. */
uint32_t numbers_whence(int whence);
/* tv_nsec of utimensat(2), which has two values that are no nanoseconds. */
uint64_t numbers_nanoseconds(long nanoseconds);
/* A device of the target as this platform packs it; and one of the app's as the wire does. */
dev_t numbers_device(uint32_t high, uint32_t low);
uint64_t numbers_wire_device(dev_t device);

#ifdef __APPLE__
/* Flags of open(2), and parts of struct stat, that Darwin lacks or calls otherwise. */
#define O_DIRECT 0
#define O_NOATIME 0
#define O_TMPFILE 0
#define NUMBERS_SHOWN_LARGEFILE 0
#define st_atim st_atimespec
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#else
/* What F_GETFL shows of every file that a 64-bit program opened (asm-generic/fcntl.h). */
#define NUMBERS_SHOWN_LARGEFILE 0100000
#endif

#endif
