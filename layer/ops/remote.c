/*
 * Open files of the target: the descriptor that stands for one in the app, and the questions about it. Called by the
 * files*.c hooks, dirs.c and stdio.c.
 *
 * A descriptor of a file that the session keeps open is a Unix socket connected to the session, which closes the file when
 * the last copy of the socket is closed: dup, fork, exec and a process's end need no message. The socket's own name says
 * which file it is, so that an exec'd program finds what it inherited.
 * The invariant: such a descriptor is never read or written but by its hooks.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../config.h"
#include "../guard.h"
#include "../streams.h"
#include "../sys.h"
#include "../sys_files.h"
#include "../way.h"
#include "files.h"

/* The session's second socket, for these descriptors. */
#define HOLD_SUFFIX ".files"
/* "/", the id, "/", flags and kind, in decimal. */
#define HOLD_NAME_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path))
#define DELETED " (deleted)"
#define MEMORY_FILE "/memfd:"
#define MEMORY_NAME_MAX 249

bool files_is_regular(const struct fds_file *file)
{
	return S_ISREG(file->kind);
}

bool files_is_folder(const struct fds_file *file)
{
	return S_ISDIR(file->kind);
}

static bool enter(struct files_open *open, int fd, enum fds_state state)
{
	struct fds_note note;

	if (!fds_seems(fd, state) || !guard_enter(&open->saved))
		return false;
	if (fds_get(fd, &note) && note.state == state) {
		open->fd = fd;
		open->file = note.file;
		return true;
	}
	guard_leave(open->saved, 0);
	return false;
}

bool files_remote(struct files_open *open, int fd)
{
	return enter(open, fd, FDS_FILE);
}

bool files_whole(struct files_open *open, int fd)
{
	return enter(open, fd, FDS_WHOLE);
}

bool files_is(int fd, enum fds_state state)
{
	struct files_open open;

	if (!enter(&open, fd, state))
		return false;
	files_leave(&open, 0);
	return true;
}

long files_leave(const struct files_open *open, long result)
{
	guard_inside = false;
	errno = result < 0 ? (int)-result : open->saved;
	return result < 0 ? -1 : result;
}

int files_whole_path(int fd, char *into)
{
	const size_t head = sizeof(MEMORY_FILE) - 1, tail = sizeof(DELETED) - 1;
	int length = sys_descriptor_path(fd, into, PATH_MAX);
	size_t name;

	if (length <= (int)(head + tail) || length >= PATH_MAX || memcmp(into, MEMORY_FILE, head) != 0)
		return -EOPNOTSUPP;
	name = (size_t)length - head - tail;
	/* memfd_create(2) cut it. */
	if (name >= MEMORY_NAME_MAX || memcmp(into + head + name, DELETED, tail) != 0)
		return -EOPNOTSUPP;
	memmove(into, into + head, name);
	into[name] = 0;
	return (int)name;
}

static size_t put_number(char *into, uint32_t number)
{
	char digits[10];
	size_t count = 0, length;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	length = count + 1;
	*into++ = '/';
	while (count > 0)
		*into++ = digits[--count];
	return length;
}

static bool get_number(const char **at, const char *end, uint32_t *number)
{
	if (*at >= end || *(*at)++ != '/')
		return false;
	for (*number = 0; *at < end && **at >= '0' && **at <= '9'; (*at)++)
		*number = *number * 10 + (uint32_t)(**at - '0');
	return true;
}

int files_hold(const struct fds_file *file)
{
	struct fds_note note = { .state = FDS_FILE, .file = *file };
	const char *socket = config_socket();
	size_t length = strlen(socket), name_length = 0;
	char path[HOLD_NAME_BYTES + sizeof(HOLD_SUFFIX)], name[2 * HOLD_NAME_BYTES], way[WAY_BYTES];
	unsigned char id[4];
	int fd;

	if (length >= HOLD_NAME_BYTES) {
		files_release(file->id);
		return -ENAMETOOLONG;
	}
	memcpy(path, socket, length);
	memcpy(path + length, HOLD_SUFFIX, sizeof(HOLD_SUFFIX));
	/* A long folder leaves no room for its whole name; its end tells sessions apart. */
	if (length > HOLD_NAME_BYTES / 2) {
		socket += length - HOLD_NAME_BYTES / 2;
		length = HOLD_NAME_BYTES / 2;
	}
	memcpy(name, socket, length);
	name_length = length;
	name_length += put_number(name + name_length, file->id);
	name_length += put_number(name + name_length, file->flags);
	name_length += put_number(name + name_length, file->kind);
	wire_store(id, sizeof(id), file->id);
	fd = sys_hold(path, name, name_length, file->flags & O_CLOEXEC, id, sizeof(id));
	if (fd == -EACCES && way_path(path, way))
		fd = sys_hold(way, name, name_length, file->flags & O_CLOEXEC, id, sizeof(id));
	if (fd < 0) {
		files_release(file->id);
		/* Nobody listens any more. */
		return fd == -ECONNREFUSED || fd == -ENOENT || fd == -EPIPE ? -EIO : fd;
	}
	streams_lead();
	fds_put(fd, &note);
	return fd;
}

static void adopt(int fd)
{
	struct fds_note note = { .state = FDS_FILE };
	struct sockaddr_un own;
	socklen_t size = sizeof(own);
	const char *socket = config_socket(), *at = own.sun_path + 1, *end;
	size_t length = strlen(socket);

	if (sys_getsockname(fd, (struct sockaddr *)&own, &size) < 0 || own.sun_family != AF_UNIX)
		return;
	if (length > HOLD_NAME_BYTES / 2) {
		socket += length - HOLD_NAME_BYTES / 2;
		length = HOLD_NAME_BYTES / 2;
	}
	end = (const char *)&own + (size < sizeof(own) ? size : sizeof(own));
	if (end < at || own.sun_path[0] != 0 || (size_t)(end - at) <= length || memcmp(at, socket, length) != 0)
		return;
	at += length;
	if (get_number(&at, end, &note.file.id) && get_number(&at, end, &note.file.flags) &&
	    get_number(&at, end, &note.file.kind) && at == end) {
		streams_lead();
		fds_put(fd, &note);
	}
}

void files_adopt(void)
{
	sys_each_descriptor(adopt);
}

/* What one answer fills: `result` is what came. */
struct transfer {
	unsigned char *into;
	size_t size;
	long result;
};

static int unpack_read(void *context, const unsigned char *from, size_t length)
{
	struct transfer *transfer = context;
	struct wire_read_reply reply;

	if (wire_unpack_read_reply(&reply, from, length) < 0 || reply.content.length > transfer->size)
		return -EIO;
	memcpy(transfer->into, reply.content.start, reply.content.length);
	transfer->result = (long)reply.content.length;
	return 0;
}

/* A pipe or a device may let us wait for long. */
static int ask(const struct fds_file *file, const struct link_ask *question, link_unpack unpack, void *context)
{
	if (files_is_regular(file) || files_is_folder(file))
		return link_request(question, unpack, context);
	return link_wait(question, unpack, context, -1);
}

long files_read(const struct fds_file *file, void *into, size_t count, uint64_t offset)
{
	unsigned char body[WIRE_READ_BYTES], *at = into;
	struct link_ask question = { .kind = WIRE_READ, .body = body };
	size_t done = 0;
	int status;

	do {
		size_t part = count - done < FILES_CHUNK ? count - done : FILES_CHUNK;
		struct wire_read message = { .file = file->id, .offset = offset, .count = (uint32_t)part };
		struct transfer transfer = { .into = at + done, .size = part };

		if (offset != FILES_POSITION)
			message.offset += done;
		question.length = (size_t)wire_pack_read(&message, body, sizeof(body));
		status = ask(file, &question, unpack_read, &transfer);
		if (status < 0)
			break;
		done += (size_t)transfer.result;
		if (transfer.result < (long)part)
			break;
	} while (done < count && files_is_regular(file));
	return done > 0 || status == 0 ? (long)done : status;
}

static int unpack_write(void *context, const unsigned char *from, size_t length)
{
	struct transfer *transfer = context;
	struct wire_write_reply reply;

	if (wire_unpack_write_reply(&reply, from, length) < 0 || reply.count > transfer->size)
		return -EIO;
	transfer->result = (long)reply.count;
	return 0;
}

long files_write(const struct fds_file *file, const void *from, size_t count, uint64_t offset)
{
	unsigned char body[WIRE_WRITE_BYTES];
	struct link_ask question = { .kind = WIRE_WRITE, .body = body, .length = sizeof(body) };
	const unsigned char *at = from;
	size_t done = 0;
	int status;

	do {
		size_t part = count - done < FILES_CHUNK ? count - done : FILES_CHUNK;
		struct transfer transfer = { .size = part };

		/* The content follows its length, which stands last: it is not copied into the body. */
		wire_store(body, 4, file->id);
		wire_store(body + 4, 8, offset == FILES_POSITION ? offset : offset + done);
		wire_store(body + 12, 4, part);
		question.content = at + done;
		question.content_length = part;
		status = ask(file, &question, unpack_write, &transfer);
		if (status < 0)
			break;
		done += (size_t)transfer.result;
		if (transfer.result < (long)part)
			break;
	} while (done < count);
	return done > 0 || status == 0 ? (long)done : status;
}

static int unpack_seek(void *context, const unsigned char *from, size_t length)
{
	struct wire_seek_reply reply;

	if (wire_unpack_seek_reply(&reply, from, length) < 0)
		return -EIO;
	*(long *)context = (long)reply.offset;
	return 0;
}

long files_seek(const struct fds_file *file, int64_t offset, int whence)
{
	struct wire_seek message = { .file = file->id, .offset = (uint64_t)offset, .whence = (uint32_t)whence };
	unsigned char body[WIRE_SEEK_BYTES];
	struct link_ask question = { .kind = WIRE_SEEK, .body = body };
	long result = 0;
	int status;

	question.length = (size_t)wire_pack_seek(&message, body, sizeof(body));
	status = link_request(&question, unpack_seek, &result);
	return status < 0 ? status : result;
}

static int unpack_list(void *context, const unsigned char *from, size_t length)
{
	struct files_page *page = context;
	struct wire_list_reply reply;

	if (wire_unpack_list_reply(&reply, from, length) < 0 || reply.entries.length > sizeof(page->bytes))
		return -EIO;
	page->end = reply.end;
	page->length = reply.entries.length;
	memcpy(page->bytes, reply.entries.start, reply.entries.length);
	return 0;
}

long files_list(uint32_t file, uint64_t cursor, struct files_page *page)
{
	struct wire_list message = { .file = file, .cursor = cursor };
	unsigned char body[WIRE_LIST_BYTES];
	struct link_ask question = { .kind = WIRE_LIST, .body = body };

	question.length = (size_t)wire_pack_list(&message, body, sizeof(body));
	return link_request(&question, unpack_list, page);
}

static int unpack_stat(void *context, const unsigned char *from, size_t length)
{
	struct wire_stat_reply reply;

	if (wire_unpack_stat_reply(&reply, from, length) < 0 || reply.status.length != sizeof(struct files_status))
		return -EIO;
	memcpy(context, reply.status.start, sizeof(struct files_status));
	return 0;
}

long files_fstat(const struct fds_file *file, struct files_status *status)
{
	struct wire_stat message = { .dir = file->id };
	unsigned char body[WIRE_STAT_BYTES];
	struct link_ask question = { .kind = WIRE_STAT, .body = body };

	question.length = (size_t)wire_pack_stat(&message, body, sizeof(body));
	return link_request(&question, unpack_stat, status);
}

void files_release(uint32_t file)
{
	struct wire_release message = { .file = file };
	unsigned char body[WIRE_RELEASE_BYTES];
	struct link_ask question = { .kind = WIRE_RELEASE, .body = body };

	question.length = (size_t)wire_pack_release(&message, body, sizeof(body));
	link_tell(&question);
}
