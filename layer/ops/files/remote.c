/*
 * Open files of the target: the descriptor that represents one in the app, and the questions about it. Called
 * by the others here.
 *
 * A descriptor of a file that the session keeps open is a Unix socket that keeps a connection to the session,
 * which closes the file when the last copy of the socket is closed: dup, fork, exec and a process's end need
 * no message. The socket's own name identifies the file, so that an exec'd program finds what it inherited;
 * O_APPEND and O_NONBLOCK are its own flags, which all copies share.
 * The invariant: such a descriptor is read and written by its hooks only; a call past them fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "../../link/ask.h"
#include "../../link/config.h"
#include "../../sys/numbers.h"
#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "../../link/way.h"
#include "remote.h"
#include "status.h"

/* "/", the id, "/", flags and kind, in decimal. */
#define HOLD_NAME_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path))
#define DELETED " (deleted)"
#define MEMORY_FILE "/memfd:"
#define MEMORY_NAME_MAX 249

void (*files_first)(void);

bool files_is_regular(const struct fds_file *file)
{
	return S_ISREG(file->kind);
}

bool files_is_folder(const struct fds_file *file)
{
	return S_ISDIR(file->kind);
}

bool files_find(struct fds_handle *open, int fd)
{
	return fds_seems(fd, FDS_FILE) && fds_find(fd, open) && open->note.state == FDS_FILE;
}

bool files_is_found(int fd, enum fds_state state)
{
	struct fds_handle found;

	return fds_seems(fd, state) && fds_find(fd, &found) && found.note.state == state;
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

static void first(void)
{
	if (files_first)
		files_first();
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
	char path[HOLD_NAME_BYTES + sizeof(WIRE_HOLDS_SUFFIX)], name[2 * HOLD_NAME_BYTES], way[WAY_BYTES];
	unsigned char id[4];
	int fd;

	if (length >= HOLD_NAME_BYTES) {
		files_release(file->id);
		return -ENAMETOOLONG;
	}
	memcpy(path, socket, length);
	memcpy(path + length, WIRE_HOLDS_SUFFIX, sizeof(WIRE_HOLDS_SUFFIX));
	/* A long folder leaves no room for its whole name; its end distinguishes sessions. */
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
	if (fd >= 0)
		sys_fcntl(fd, F_SETFL, file->flags & (O_APPEND | O_NONBLOCK));
	if (fd < 0) {
		files_release(file->id);
		/* The session no longer listens. */
		return fd == -ECONNREFUSED || fd == -ENOENT || fd == -EPIPE ? -EIO : fd;
	}
	first();
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
		first();
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

static int take_read(void *context, const void *from)
{
	struct transfer *transfer = context;
	const struct wire_read_reply *reply = from;

	if (reply->content.length > transfer->size)
		return -EIO;
	memcpy(transfer->into, reply->content.start, reply->content.length);
	transfer->result = (long)reply->content.length;
	return 0;
}

/* A pipe or a device may let us wait for long. */
static int ask(const struct fds_file *file, const struct ask *question)
{
	return files_is_regular(file) || files_is_folder(file) ? ask_now(question) : ask_patiently(question, -1);
}

/* The first page is never mapped (mmap(2), mmap_min_addr): what a NULL leads to. */
static bool is_nowhere(const void *memory)
{
	return (uintptr_t)memory < 4096;
}

long files_read(const struct fds_file *file, void *into, size_t count, uint64_t offset)
{
	unsigned char *at = into;
	size_t done = 0;
	int status;

	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (files_is_folder(file))
		return -EISDIR;
	if (count > 0 && is_nowhere(into))
		return -EFAULT;
	do {
		size_t part = count - done < FILES_CHUNK ? count - done : FILES_CHUNK;
		struct wire_read message = { .file = file->id, .offset = offset, .count = (uint32_t)part };
		struct transfer transfer = { .into = at + done, .size = part };

		if (offset != FILES_POSITION)
			message.offset += done;
		status = ask(file, ASK_TAKE(read, &message, take_read, &transfer));
		if (status < 0)
			break;
		done += (size_t)transfer.result;
		if (transfer.result < (long)part)
			break;
	} while (done < count && files_is_regular(file));
	return done > 0 || status == 0 ? (long)done : status;
}

static int take_write(void *context, const void *from)
{
	struct transfer *transfer = context;
	const struct wire_write_reply *reply = from;

	if (reply->count > transfer->size)
		return -EIO;
	transfer->result = (long)reply->count;
	return 0;
}

long files_write(const struct fds_file *file, const void *from, size_t count, uint64_t offset)
{
	const char *at = from;
	size_t done = 0;
	int status;

	if (count > 0 && is_nowhere(from))
		return -EFAULT;
	do {
		size_t part = count - done < FILES_CHUNK ? count - done : FILES_CHUNK;
		struct transfer transfer = { .size = part };
		struct wire_write message = {
			.file = file->id,
			.offset = offset == FILES_POSITION ? offset : offset + done,
			.content = { .start = at + done, .length = (uint32_t)part },
		};

		status = ask(file, ASK_TAKE(write, &message, take_write, &transfer));
		if (status < 0)
			break;
		done += (size_t)transfer.result;
		if (transfer.result < (long)part)
			break;
	} while (done < count);
	return done > 0 || status == 0 ? (long)done : status;
}

static int take_seek(void *context, const void *from)
{
	const struct wire_seek_reply *reply = from;

	/* A position that is negative would be taken for an errno. */
	if (reply->offset > INT64_MAX)
		return -EIO;
	*(long *)context = (long)reply->offset;
	return 0;
}

long files_seek(const struct fds_file *file, int64_t offset, int whence)
{
	struct wire_seek message = { .file = file->id, .offset = (uint64_t)offset, .whence = numbers_whence(whence) };
	long result = 0;
	int status;

	status = ask_now(ASK_TAKE(seek, &message, take_seek, &result));
	return status < 0 ? status : result;
}

static int take_list(void *context, const void *from)
{
	struct files_page *page = context;
	const struct wire_list_reply *reply = from;

	if (reply->entries.length > sizeof(page->bytes))
		return -EIO;
	page->end = reply->end;
	page->length = reply->entries.length;
	memcpy(page->bytes, reply->entries.start, reply->entries.length);
	return 0;
}

long files_list(uint32_t file, uint64_t cursor, struct files_page *page)
{
	struct wire_list message = { .file = file, .cursor = cursor };

	return ask_now(ASK_TAKE(list, &message, take_list, page));
}

static int take_stat(void *context, const void *from)
{
	const struct wire_stat_reply *reply = from;

	if (reply->status.length != sizeof(struct files_status))
		return -EIO;
	memcpy(context, reply->status.start, sizeof(struct files_status));
	return 0;
}

long files_fstat(const struct fds_file *file, struct files_status *status)
{
	struct wire_stat message = { .dir = file->id };

	return ask_now(ASK_TAKE(stat, &message, take_stat, status));
}

void files_release(uint32_t file)
{
	struct wire_release message = { .file = file };

	ask_tell(ASK_TELL(release, &message));
}
