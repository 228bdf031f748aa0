/*
 * Redirects glibc's streams to the layer. A stream reads and writes by its table of functions
 * (_IO_file_jumps), of which glibc checks the place but not the content; it contains _IO_file_read and its
 * siblings, which glibc exports as well. They are searched by value, so nothing is assumed of the table but
 * that it is one. Called when the first remote file appears: until then, and without one for ever, libc is
 * not changed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "libc/stream_calls.h"
#include "streams.h"
#include "../sys/raw.h"

/* More than the table has had since glibc 2.1: two unused words, nineteen functions. */
#define TABLE_WORDS 21

typedef ssize_t (*read_call)(FILE *, void *, ssize_t);
typedef ssize_t (*write_call)(FILE *, const void *, ssize_t);
typedef off_t (*seek_call)(FILE *, off_t, int);
typedef int (*close_call)(FILE *);
typedef int (*stat_call)(FILE *, void *);

static struct {
	read_call read;
	write_call write;
	seek_call seek;
	close_call close;
	stat_call stat;
} libc;

static ssize_t led_read(FILE *stream, void *into, ssize_t size)
{
	return streams_ours(stream) ? streams_read(stream, into, size) : libc.read(stream, into, size);
}

static ssize_t led_write(FILE *stream, const void *from, ssize_t size)
{
	return streams_ours(stream) ? streams_write(stream, from, size) : libc.write(stream, from, size);
}

static off_t led_seek(FILE *stream, off_t offset, int whence)
{
	return streams_ours(stream) ? streams_seek(stream, offset, whence) : libc.seek(stream, offset, whence);
}

static int led_close(FILE *stream)
{
	return streams_ours(stream) ? streams_close(stream) : libc.close(stream);
}

static int led_stat(FILE *stream, void *status)
{
	return streams_ours(stream) ? streams_stat(stream, status) : libc.stat(stream, status);
}

struct replacement {
	void *from;
	void *to;
};

/* Changes the words of a table that are one of `from`; the number of those changed. */
static int replace(void **table, const struct replacement *all, int count)
{
	uintptr_t first = (uintptr_t)table & ~((uintptr_t)getauxval(AT_PAGESZ) - 1), end = (uintptr_t)(table + TABLE_WORDS);
	int found = 0;

	if (RAW(SYS_mprotect, first, end - first, PROT_READ | PROT_WRITE) < 0)
		return 0;
	for (int word = 0; word < TABLE_WORDS; word++)
		for (int i = 0; i < count; i++)
			if (table[word] == all[i].from) {
				__atomic_store_n(&table[word], all[i].to, __ATOMIC_RELEASE);
				found++;
			}
	RAW(SYS_mprotect, first, end - first, PROT_READ);
	return found;
}

static bool lead(void)
{
	void *tables[2] = { dlsym(RTLD_DEFAULT, "_IO_file_jumps"), dlsym(RTLD_DEFAULT, "_IO_wfile_jumps") };

	libc.read = (read_call)dlsym(RTLD_DEFAULT, "_IO_file_read");
	libc.write = (write_call)dlsym(RTLD_DEFAULT, "_IO_file_write");
	libc.seek = (seek_call)dlsym(RTLD_DEFAULT, "_IO_file_seek");
	libc.close = (close_call)dlsym(RTLD_DEFAULT, "_IO_file_close");
	libc.stat = (stat_call)dlsym(RTLD_DEFAULT, "_IO_file_stat");
	if (!tables[0] || !libc.read || !libc.write || !libc.seek || !libc.close || !libc.stat)
		return false;
	const struct replacement all[5] = {
		{ (void *)libc.read, (void *)led_read },   { (void *)libc.write, (void *)led_write },
		{ (void *)libc.seek, (void *)led_seek },   { (void *)libc.close, (void *)led_close },
		{ (void *)libc.stat, (void *)led_stat },
	};
	if (tables[1])
		replace(tables[1], all, 5);
	return replace(tables[0], all, 5) == 5;
}

bool streams_lead(void)
{
	enum { NOT_YET, TRYING, LED, REFUSED };
	static _Atomic(int) stage;
	int seen = NOT_YET, saved = errno;

	if (!atomic_compare_exchange_strong(&stage, &seen, TRYING))
		return seen != REFUSED;
	atomic_store(&stage, lead() ? LED : REFUSED);
	errno = saved;
	return atomic_load(&stage) == LED;
}
