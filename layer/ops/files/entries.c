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

struct files_entry *files_entry_at(const struct files_page *page, uint32_t at)
{
	struct files_entry *entry = writable(page->bytes + at);
	const size_t left = page->length - at, head = offsetof(struct files_entry, name);
	const char *end;

	if (left < SHORTEST_ENTRY || entry->length < SHORTEST_ENTRY || entry->length > left)
		return NULL;
	end = memchr(entry->name, 0, entry->length - head);
	if (!end || end == entry->name || memchr(entry->name, '/', (size_t)(end - entry->name)))
		return NULL;
	return entry;
}

/* Whole entries out of `page` that fit into `size` bytes. */
static long copy_entries(char *into, size_t size, const struct files_page *page)
{
	const struct files_entry *entry = NULL;
	uint32_t at = 0;

	while (at < page->length) {
		entry = files_entry_at(page, at);
		if (!entry || at + entry->length > size)
			break;
		at += entry->length;
	}
	if (at == 0 && page->length > 0)
		return entry ? -EINVAL : -EIO;
	memcpy(into, page->bytes, at);
	return (long)at;
}

/* From the descriptor's position, which is the session's; the last entry's `next` becomes the next. */
static long list(const struct fds_file *file, void *into, size_t size, struct files_page *page)
{
	long position = files_seek(file, 0, SEEK_CUR), result = position, at;

	if (result >= 0)
		result = files_list(file->id, (uint64_t)position, page);
	if (result >= 0)
		result = copy_entries(into, size, page);
	for (at = 0; at < result; at += ((struct files_entry *)((char *)into + at))->length)
		position = (long)((struct files_entry *)((char *)into + at))->next;
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
