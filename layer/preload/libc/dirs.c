/*
 * opendir, readdir and their family. A folder of the target gets a DIR of the layer's, which libc never sees:
 * it holds a page of the list as the session sent it, and hands out entries in place.
 * The invariant: the layer's DIR begins with a negative number, where glibc's has its descriptor; this
 * distinguishes the two.
 */
#include <dirent.h>
#include <stddef.h>
#include <string.h>

#include "../../hooks.h"
#include "../../ops/files/entries.h"
#include "../../ops/files/open.h"
#include "../../sys/sys.h"
#include "../edge_file.h"
#include "../edge_path.h"

#define OURS (-0x6d697272)

struct folder {
	int32_t mark; /* OURS */
	_Atomic(uint32_t) lock; /* readdir(3) of one DIR by several threads is serialised */
	struct fds_file open;
	int fd; /* keeps the file open, once a descriptor is wanted; -1 = none: released by message */
	uint32_t file;
	uint32_t at; /* of the next entry in the page */
	uint64_t cursor; /* of the next entry in the folder */
	struct files_page page;
#ifndef __linux__
	struct dirent entry; /* the last one handed out */
#endif
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

/* The value of the verdicts below is a DIR; of a failed one the edge makes this. */
#define FAILED ((DIR *)-1)

static struct verdict folder_of_path(struct files_call *call)
{
	struct folder *folder;
	struct verdict verdict;

	if (!files_asked(call))
		return verdict_libc();
	folder = make();
	if (!folder)
		return verdict_result(-ENOMEM);
	verdict = open_folder(call, &folder->open, &folder->page);
	if (verdict.kind != VERDICT_VALUE) {
		sys_unmap(folder, sizeof(*folder));
		return verdict;
	}
	folder->file = folder->open.id;
	return verdict_result((long)folder);
}

DIR *layer_opendir(const char *path)
{
	struct files_call call;
	DIR *dir = EDGE_PATH(path, folder_of_path(&call), next_opendir(call.path));

	return dir == FAILED ? NULL : dir;
}

/* A DIR for the descriptor of a remote folder, which is the DIR's from now on. */
static struct verdict folder_of_open(const struct fds_handle *open)
{
	struct folder *folder;

	if (open->note.state != FDS_FILE)
		return verdict_libc();
	if (!files_is_folder(&open->note.file))
		return verdict_result(-ENOTDIR);
	folder = make();
	if (!folder)
		return verdict_result(-ENOMEM);
	folder->fd = open->fd;
	folder->open = open->note.file;
	folder->file = open->note.file.id;
	return verdict_result((long)folder);
}

DIR *layer_fdopendir(int fd)
{
	DIR *dir = EDGE_OPEN(fd, folder_of_open(&open), next_fdopendir(fd));

	return dir == FAILED ? NULL : dir;
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

/* The entry as libc has it, valid until the next one is asked for; NULL: its name is too long there. */
#ifdef __linux__
_Static_assert(offsetof(struct dirent, d_name) == offsetof(struct files_entry, name), "getdents64(2)");

static struct dirent *as_dirent(struct folder *folder, struct files_entry *entry)
{
	(void)folder;
	return (struct dirent *)entry;
}
#else
static struct dirent *as_dirent(struct folder *folder, struct files_entry *entry)
{
	struct dirent *into = &folder->entry;
	const size_t length = strlen(entry->name), head = offsetof(struct dirent, d_name);

	if (length >= sizeof(into->d_name))
		return NULL;
	into->d_ino = entry->number;
	into->d_seekoff = (uint64_t)entry->next;
	into->d_reclen = (uint16_t)((head + length + 8) & ~(size_t)7);
	into->d_namlen = (uint16_t)length;
	into->d_type = entry->type;
	memcpy(into->d_name, entry->name, length + 1);
	return into;
}
#endif

/* The next entry, NULL at the end or with *status < 0. Lock held, within the guard. */
static struct dirent *take(struct folder *folder, long *status)
{
	struct files_page *page = &folder->page;
	struct files_entry *entry;
	struct dirent *result;

	*status = 0;
	if (folder->at >= page->length) {
		if (page->end)
			return NULL;
		folder->at = page->length = 0;
		*status = files_list(folder->file, folder->cursor, page);
		if (*status < 0 || page->length == 0)
			return NULL;
	}
	entry = files_entry_at(page, folder->at);
	if (!entry) {
		*status = -EIO;
		return NULL;
	}
	folder->at += entry->length;
	folder->cursor = (uint64_t)entry->next;
	result = as_dirent(folder, entry);
	if (!result)
		*status = -ENAMETOOLONG;
	return result;
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
	if (entry && into && entry->d_reclen > sizeof(*into)) {
		status = -ENAMETOOLONG;
		entry = NULL;
	} else if (entry && into) {
		entry = memcpy(into, entry, entry->d_reclen);
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
