/*
 * The way to the session's sockets for a process that gives up its rights, as servers do that root starts.
 * Only the session's user can enter its directory, so after setuid(2) its sockets are out of reach by their
 * path. They are in a folder of their own there, which every user may search who gets that far; root keeps a
 * descriptor of it. A path through /proc/self/fd continues behind the descriptor without a check of the
 * folders above (proc_pid_fd(5)), for every program in this process. Called by the preload layer and by every
 * file that connects. The invariant: a fork child has its parent's way; a program that is started as another
 * user has none, and does not find the layer's file either.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "../sys/sys.h"
#include "../sys/sys_files.h"
#include "way.h"

static _Atomic(int) number; /* of the descriptor, plus one */
static struct sys_identity folder;

void way_open(const char *socket)
{
	const char *end = strrchr(socket, '/');
	char path[WAY_BYTES];
	int fd;

	if (!sys_is_root() || !end || end == socket || (size_t)(end - socket) >= sizeof(path))
		return;
	memcpy(path, socket, (size_t)(end - socket));
	path[end - socket] = 0;
	fd = sys_open_folder(path);
	if (fd >= 0 && sys_identity(fd, &folder) == 0)
		atomic_store(&number, fd + 1);
}

int way_descriptor(void)
{
	return atomic_load_explicit(&number, memory_order_relaxed) - 1;
}

bool way_path(const char *socket, char *into)
{
	const char *end = strrchr(socket, '/');
	int fd = way_descriptor();

	/* An app can close it where no hook sees it. */
	if (fd < 0 || !end || !sys_is(fd, &folder))
		return false;
	sys_descriptor_name(fd, into);
	if (strlen(into) + strlen(end) >= WAY_BYTES)
		return false;
	strcat(into, end);
	return true;
}

int way_connect(const char *socket)
{
	char path[WAY_BYTES];
	int fd = sys_connect_unix(socket);

	return fd == -EACCES && way_path(socket, path) ? sys_connect_unix(path) : fd;
}

void way_yield(int fd)
{
	if (fd < 0 || fd != way_descriptor())
		return;
	atomic_store(&number, sys_is(fd, &folder) ? sys_dup_high(fd) + 1 : 0);
	sys_close(fd);
}
