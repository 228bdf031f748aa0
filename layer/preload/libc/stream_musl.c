/*
 * stream.h with musl: a stream reads and writes by functions that stand in it, at places that musl never
 * changed and no header shows. libc's make system calls that no hook sees; they are replaced by these, which
 * ask the layer for a file of the target that the kernel does not hold, and libc's own otherwise. Called by
 * stdio.c of this folder and, once the first remote file is there, by guard.c. The invariant: a stream of an
 * unknown form is not touched, and none is made of a remote file then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../../hooks.h"
#include "../../writable.h"
#include "../edge_file.h"
#include "../images.h"
#include "../streams.h"
#include "stream.h"

/* src/internal/stdio_impl.h of musl, from 1.0 (2014) on. */
struct insides {
	unsigned int flags;
	unsigned char *read_at, *read_end;
	int (*close)(FILE *);
	unsigned char *write_end, *write_at, *unused, *write_base;
	size_t (*read)(FILE *, unsigned char *, size_t);
	size_t (*write)(FILE *, const unsigned char *, size_t);
	off_t (*seek)(FILE *, off_t, int);
	unsigned char *buffer;
	size_t buffer_size;
	FILE *before, *behind;
	int fd;
};

enum { AT_END = 16, FAILED = 32 };

/* libc's own functions; those of its standard output begin with others. */
static struct insides libc;
static size_t (*first_write)(FILE *, const unsigned char *, size_t);

static struct insides *of(FILE *stream)
{
	return (struct insides *)(void *)stream;
}

/* As libc's own do it: the buffer is filled, and the reader has the first part. */
static size_t led_read(FILE *stream, unsigned char *into, size_t size)
{
	struct insides *file = of(stream);
	bool buffered = size < file->buffer_size;
	size_t given;
	ssize_t got;

	if (!edge_is_file(file->fd))
		return libc.read(stream, into, size);
	got = buffered ? layer_read(file->fd, file->buffer, file->buffer_size) : layer_read(file->fd, into, size);
	if (got <= 0)
		file->flags |= got == 0 ? AT_END : FAILED;
	given = got <= 0 ? 0 : buffered && (size_t)got > size ? size : (size_t)got;
	file->read_at = file->read_end = file->buffer;
	if (buffered && got > 0) {
		memcpy(into, file->buffer, given);
		file->read_at += given;
		file->read_end += got;
	}
	return given;
}

/* All of it; the number of bytes that were written. */
static size_t written(int fd, const unsigned char *from, size_t size)
{
	size_t done = 0;
	ssize_t one;

	while (done < size) {
		one = layer_write(fd, from + done, size - done);
		if (one < 0)
			break;
		done += (size_t)one;
	}
	return done;
}

static size_t led_write(FILE *stream, const unsigned char *from, size_t size)
{
	struct insides *file = of(stream);
	size_t kept = (size_t)(file->write_at - file->write_base), done;
	bool flushed;

	if (!edge_is_file(file->fd)) {
		size_t (*own)(FILE *, const unsigned char *, size_t) = stream == stdout && first_write ? first_write : libc.write;

		done = own(stream, from, size);
		if (stream == stdout)
			first_write = NULL; /* it looked whether there is a terminal, and put libc.write in its place */
		file->write = led_write;
		return done;
	}
	flushed = written(file->fd, file->write_base, kept) == kept;
	done = flushed ? written(file->fd, from, size) : 0;
	if (flushed && done == size) {
		file->write_end = file->buffer + file->buffer_size;
		file->write_at = file->write_base = file->buffer;
	} else {
		file->write_at = file->write_base = file->write_end = NULL;
		file->flags |= FAILED;
	}
	return done;
}

static off_t led_seek(FILE *stream, off_t offset, int whence)
{
	int fd = of(stream)->fd;

	return edge_is_file(fd) ? layer_lseek(fd, offset, whence) : libc.seek(stream, offset, whence);
}

static int led_close(FILE *stream)
{
	int fd = of(stream)->fd;

	return edge_is_file(fd) ? layer_close(fd) : libc.close(stream);
}

static bool is_libcs(const void *function)
{
	struct image image;

	return image_of(function, &image) && image_is_libc(&image);
}

/* Is it a stream over `fd` of the form above, with libc's functions? */
static bool is_known(const struct insides *file, int fd)
{
	return file->fd == fd && file->buffer && file->buffer_size == BUFSIZ && !file->read_at && !file->write_at &&
	       is_libcs((const void *)file->read) && is_libcs((const void *)file->write) &&
	       is_libcs((const void *)file->seek) && is_libcs((const void *)file->close);
}

static void lead(FILE *stream)
{
	struct insides *file = of(stream);

	if (file->write == led_write)
		return;
	if (stream == stdout && file->write != libc.write)
		first_write = file->write;
	file->read = led_read;
	file->write = led_write;
	file->seek = led_seek;
	file->close = led_close;
}

/* A stream over a new descriptor of nothing shows whether the form is known. */
static bool probe(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	FILE *stream = fd < 0 ? NULL : next_fdopen(fd, "r+");
	bool known = stream && is_known(of(stream), fd);

	if (known)
		libc = *of(stream);
	if (stream)
		fclose(stream);
	else if (fd >= 0)
		close(fd);
	return known;
}

bool streams_lead(void)
{
	enum { NOT_YET, TRYING, LED, REFUSED };
	static _Atomic(int) stage;
	int seen = NOT_YET, saved = errno;
	bool known;

	if (!atomic_compare_exchange_strong(&stage, &seen, TRYING))
		return seen != REFUSED;
	known = probe();
	if (known) {
		lead(stdin);
		lead(stdout);
		lead(stderr);
	}
	atomic_store(&stage, known ? LED : REFUSED);
	errno = saved;
	return known;
}

/* May there be a stream over `fd`? Over a remote file there is none of an unknown form: errno is set. */
static bool may_be_over(int fd)
{
	if (!edge_is_file(fd) || streams_lead())
		return true;
	errno = ENOTSUP;
	return false;
}

FILE *stream_open(int fd, const char *mode)
{
	FILE *stream = may_be_over(fd) ? next_fdopen(fd, mode) : NULL;

	if (stream && edge_is_file(fd))
		lead(stream);
	return stream;
}

FILE *layer_fdopen(int fd, const char *mode)
{
	return stream_open(fd, mode);
}

int stream_replace(FILE *stream, int fd, bool closes_on_exec)
{
	if (!may_be_over(fd) || layer_dup3(fd, fileno(stream), closes_on_exec ? O_CLOEXEC : 0) < 0)
		return -1;
	if (edge_is_file(fd))
		lead(stream);
	return 0;
}
