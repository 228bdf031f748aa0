/*
 * The entries of a folder's list as the session sends it: checked, since a target may send anything, and
 * given to getdents64. Called by the doors' edges, and by preload/libc/dirs.c, which hands them out in place.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "../../sys/sys.h"
#include "entries.h"
#include "../../writable.h"

/* One with a name of one byte and its end. */
#define SHORTEST_ENTRY 24u

struct dirent *files_entry_at(const struct files_page *page, uint32_t at)
{
	struct dirent *entry = writable(page->bytes + at);
	const size_t left = page->length - at, head = offsetof(struct dirent, d_name);
	const char *end;

	if (left < SHORTEST_ENTRY || entry->d_reclen < SHORTEST_ENTRY || entry->d_reclen > left)
		return NULL;
	end = memchr(entry->d_name, 0, entry->d_reclen - head);
	if (!end || end == entry->d_name || memchr(entry->d_name, '/', (size_t)(end - entry->d_name)))
		return NULL;
	return entry;
}

/* Whole entries out of `page` that fit into `size` bytes. */
static long copy_entries(char *into, size_t size, const struct files_page *page)
{
	const struct dirent *entry = NULL;
	uint32_t at = 0;

	while (at < page->length) {
		entry = files_entry_at(page, at);
		if (!entry || at + entry->d_reclen > size)
			break;
		at += entry->d_reclen;
	}
	if (at == 0 && page->length > 0)
		return entry ? -EINVAL : -EIO;
	memcpy(into, page->bytes, at);
	return (long)at;
}

/* From the descriptor's position, which is the session's; d_off of the last entry becomes the next. */
static long list(const struct fds_file *file, void *into, size_t size, struct files_page *page)
{
	long position = files_seek(file, 0, SEEK_CUR), result = position, at;

	if (result >= 0)
		result = files_list(file->id, (uint64_t)position, page);
	if (result >= 0)
		result = copy_entries(into, size, page);
	for (at = 0; at < result; at += ((struct dirent *)((char *)into + at))->d_reclen)
		position = ((struct dirent *)((char *)into + at))->d_off;
	if (result > 0 && (at = files_seek(file, position, SEEK_SET)) < 0)
		result = at;
	return result;
}

struct verdict file_getdents64(const struct fds_handle *open, void *into, size_t size)
{
	struct files_page *page = sys_map(sizeof(*page), false);
	long result = page ? list(&open->note.file, into, size, page) : -ENOMEM;

	if (page)
		sys_unmap(page, sizeof(*page));
	return verdict_result(result);
}
