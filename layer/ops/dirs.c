/*
 * opendir, readdir and their family. A folder of the target gets a DIR of our own, which libc never sees: it holds a page
 * of the list as the session sent it, and hands out entries in place.
 * The invariant: our DIR begins with a negative number, where glibc's has its descriptor; so the two are told apart.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "../sys.h"
#include "../sys_files.h"
#include "files.h"

#define OURS (-0x6d697272)

struct folder {
	int32_t mark; /* OURS */
	_Atomic(uint32_t) lock; /* readdir(3) of one DIR by several threads is serialised */
	struct fds_file open;
	int fd; /* keeps the file open, once somebody wants a descriptor; -1 = none: released by message */
	uint32_t file;
	uint32_t at; /* of the next entry in the page */
	uint64_t cursor; /* of the next entry in the folder */
	struct files_page page;
};

static struct folder *ours(DIR *dir)
{
	struct folder *folder = (struct folder *)dir;

	return folder && folder->mark == OURS ? folder : NULL;
}

static struct folder *make(void)
{
	struct folder *folder = sys_map(sizeof(*folder), false);

	if (folder) {
		folder->mark = OURS;
		folder->fd = -1;
	}
	return folder;
}

/* Opens a remote folder. False: it is local. Else *dir is what the hook returns. */
static bool open_folder(struct files_call *call, int dirfd, const char *path, DIR **dir)
{
	struct folder *folder;
	bool decided;

	if (!files_asks(call, dirfd, path))
		return false;
	folder = make();
	if (!folder)
		call->result = -ENOMEM;
	decided = files_open_folder(call, &folder->open, &folder->page);
	if (folder && (!decided || call->result < 0)) {
		sys_unmap(folder, sizeof(*folder));
		folder = NULL;
	}
	if (!decided)
		return false;
	if (folder)
		folder->file = folder->open.id;
	files_result(call);
	*dir = (DIR *)folder;
	return true;
}

DIR *layer_opendir(const char *path)
{
	struct files_call call;
	DIR *dir;

	return open_folder(&call, AT_FDCWD, path, &dir) ? dir : next_opendir(call.path);
}

/* A DIR for the descriptor of a remote folder, which is the DIR's from now on. */
DIR *layer_fdopendir(int fd)
{
	struct files_open open;
	struct folder *folder = NULL;
	long result = 0;

	if (!files_remote(&open, fd))
		return next_fdopendir(fd);
	if (!files_is_folder(&open.file))
		result = -ENOTDIR;
	else if ((folder = make()) == NULL)
		result = -ENOMEM;
	if (folder) {
		folder->fd = fd;
		folder->open = open.file;
		folder->file = open.file.id;
	}
	files_leave(&open, result);
	return (DIR *)folder;
}

int layer_closedir(DIR *dir)
{
	struct folder *folder = ours(dir);
	int saved, result = 0;

	if (!folder)
		return next_closedir(dir);
	if (folder->fd >= 0) {
		result = layer_close(folder->fd);
	} else if (guard_enter(&saved)) {
		files_release(folder->file);
		guard_leave(saved, 0);
	}
	sys_unmap(folder, sizeof(*folder));
	return result;
}

int layer_dirfd(DIR *dir)
{
	struct folder *folder = ours(dir);
	int saved, result;

	if (!folder)
		return next_dirfd(dir);
	if (folder->fd >= 0)
		return folder->fd;
	if (!guard_enter(&saved)) {
		errno = ENOTSUP;
		return -1;
	}
	sys_lock(&folder->lock);
	result = folder->fd >= 0 ? folder->fd : files_hold(&folder->open);
	if (result >= 0)
		folder->fd = result;
	sys_unlock(&folder->lock);
	return guard_leave(saved, result);
}

/* The next entry, NULL at the end or with *status < 0. Lock held, within the guard. */
static struct dirent *take(struct folder *folder, long *status)
{
	struct files_page *page = &folder->page;
	struct dirent *entry;

	*status = 0;
	if (folder->at >= page->length) {
		if (page->end)
			return NULL;
		folder->at = page->length = 0;
		*status = files_list(folder->file, folder->cursor, page);
		if (*status < 0 || page->length == 0)
			return NULL;
	}
	entry = (struct dirent *)(page->bytes + folder->at);
	/* The shortest one has a name of one byte and its end. */
	if (page->length - folder->at < 24 || entry->d_reclen < 24 || entry->d_reclen > page->length - folder->at) {
		*status = -EIO;
		return NULL;
	}
	folder->at += entry->d_reclen;
	folder->cursor = (uint64_t)entry->d_off;
	return entry;
}

/* The next entry as the hook returns it, or copied to `into` if that is not NULL. */
static struct dirent *next_entry(struct folder *folder, struct dirent *into)
{
	struct dirent *entry;
	long status = -EIO;
	int saved;

	if (!guard_enter(&saved)) {
		errno = EIO;
		return NULL;
	}
	sys_lock(&folder->lock);
	entry = take(folder, &status);
	if (entry && into) {
		memcpy(into, entry, entry->d_reclen < sizeof(*into) ? entry->d_reclen : sizeof(*into));
		entry = into;
	}
	sys_unlock(&folder->lock);
	guard_leave(saved, (int)status);
	return entry;
}

struct dirent *layer_readdir(DIR *dir)
{
	struct folder *folder = ours(dir);

	return folder ? next_entry(folder, NULL) : next_readdir(dir);
}

int layer_readdir_r(DIR *dir, struct dirent *into, struct dirent **result)
{
	struct folder *folder = ours(dir);
	int saved = errno, failed;

	if (!folder)
		return next_readdir_r(dir, into, result);
	errno = 0;
	*result = next_entry(folder, into);
	failed = *result ? 0 : errno;
	errno = saved;
	return failed;
}

/* To the entry that follows the one whose d_off is `cursor`; 0 = to the first. */
static void seek_to(struct folder *folder, uint64_t cursor)
{
	int saved;

	if (!guard_enter(&saved))
		return;
	sys_lock(&folder->lock);
	folder->cursor = cursor;
	folder->at = folder->page.length = 0;
	folder->page.end = false;
	sys_unlock(&folder->lock);
	guard_leave(saved, 0);
}

void layer_rewinddir(DIR *dir)
{
	struct folder *folder = ours(dir);

	if (folder)
		seek_to(folder, 0);
	else
		next_rewinddir(dir);
}

void layer_seekdir(DIR *dir, long position)
{
	struct folder *folder = ours(dir);

	if (folder)
		seek_to(folder, (uint64_t)position);
	else
		next_seekdir(dir, position);
}

long layer_telldir(DIR *dir)
{
	struct folder *folder = ours(dir);

	return folder ? (long)folder->cursor : next_telldir(dir);
}

/* Whole entries out of `from` that fit into `size` bytes. */
static long copy_entries(char *into, size_t size, const struct files_page *page)
{
	uint32_t at = 0;

	while (page->length - at >= 24) {
		uint16_t length = ((const struct dirent *)(page->bytes + at))->d_reclen;

		if (length < 24 || length > page->length - at || at + length > size)
			break;
		at += length;
	}
	memcpy(into, page->bytes, at);
	return at > 0 || page->length == 0 ? (long)at : -EINVAL;
}

/* getdents64(2): from the descriptor's position, which is the session's; d_off of the last entry becomes the next. */
ssize_t layer_getdents64(int fd, void *into, size_t size)
{
	struct files_open open;
	struct files_page *page;
	long position, result = -ENOMEM, at;

	if (!files_remote(&open, fd))
		return next_getdents64(fd, into, size);
	page = sys_map(sizeof(*page), false);
	if (!page)
		goto out;
	result = position = files_seek(&open.file, 0, SEEK_CUR);
	if (result >= 0)
		result = files_list(open.file.id, (uint64_t)position, page);
	if (result >= 0)
		result = copy_entries(into, size, page);
	for (at = 0; at < result; at += ((struct dirent *)((char *)into + at))->d_reclen)
		position = ((struct dirent *)((char *)into + at))->d_off;
	if (result > 0 && (at = files_seek(&open.file, position, SEEK_SET)) < 0)
		result = at;
	sys_unmap(page, sizeof(*page));
out:
	return files_leave(&open, result);
}
