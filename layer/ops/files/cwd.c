/*
 * The app's working directory where that is the target's: a path that is unknown to the kernel. Set by
 * folder.c; read by every hook that takes a relative path, by exec.c for children, and by getcwd.
 * Invariants: while there is one, the kernel's own is a directory that was removed. So calls that no hook
 * sees (dlopen, a static child, a Unix socket's path) get ENOENT there, never this machine's file of that
 * name; and by this sign an exec'd program knows that the directory was not changed after its parent wrote
 * MIRRORD_CWD. Readers take no lock: a directory is memory that is neither changed nor freed. Threads share
 * it, a fork child inherits it; a vfork child, which shares its parent's memory but not the kernel's
 * directory, has one of its own.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../../link/config.h"
#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "cwd.h"

#define NAME "MIRRORD_CWD="
#define DIGITS 10
#define BUCKETS 256u
#define CHUNK_BYTES 65536u

struct kept {
	struct kept *next;
	struct cwd_folder folder;
	char text[]; /* both paths */
};

struct chunk {
	_Atomic(size_t) used;
	char bytes[CHUNK_BYTES - sizeof(size_t)];
};

_Atomic(bool) cwd_used;
static _Atomic(bool) seems_root;
static _Atomic(const struct cwd_folder *) current;
static _Atomic(struct kept *) buckets[BUCKETS];
static _Atomic(struct chunk *) chunks;

/* Of the vfork child that runs on this thread, or ran: its parent sleeps meanwhile. */
static _Thread_local struct {
	pid_t process; /* 0 = none */
	const struct cwd_folder *folder;
} apart __attribute__((tls_model("initial-exec")));

static void *take(size_t size)
{
	struct chunk *chunk = atomic_load(&chunks), *more;
	size_t at;

	size = (size + 15) & ~(size_t)15;
	for (;;) {
		at = chunk ? atomic_fetch_add(&chunk->used, size) : sizeof(chunk->bytes);
		if (at + size <= sizeof(chunk->bytes))
			return chunk->bytes + at;
		more = sys_map(sizeof(*more), false);
		if (!more)
			return NULL;
		if (atomic_compare_exchange_strong(&chunks, &chunk, more))
			chunk = more;
		else
			sys_unmap(more, sizeof(*more));
	}
}

static bool is_path(struct wire_run run)
{
	return run.length > 0 && run.length < PATH_MAX && run.start[0] == '/' && !memchr(run.start, 0, run.length);
}

static bool is_text(const char *text, struct wire_run run)
{
	return strncmp(text, run.start, run.length) == 0 && text[run.length] == 0;
}

const struct cwd_folder *cwd_keep(struct wire_run path, struct wire_run physical)
{
	_Atomic(struct kept *) *bucket;
	struct kept *one;
	uint32_t hash = 5381;
	char *text;

	if (path.length > 1 && path.start[path.length - 1] == '/')
		path.length--;
	if (!is_path(path) || !is_path(physical))
		return NULL;
	for (uint32_t i = 0; i < path.length; i++)
		hash = hash * 33 + (unsigned char)path.start[i];
	bucket = &buckets[hash % BUCKETS];
	/* A program may change to and fro without end: each directory is kept once. */
	for (one = atomic_load(bucket); one; one = one->next)
		if (is_text(one->folder.path, path) && is_text(one->folder.physical, physical))
			return &one->folder;
	one = take(sizeof(*one) + path.length + physical.length + 2);
	if (!one)
		return NULL;
	text = memcpy(one->text, path.start, path.length);
	text[path.length] = 0;
	one->folder.path = text;
	text = memcpy(text + path.length + 1, physical.start, physical.length);
	text[physical.length] = 0;
	one->folder.physical = text;
	one->next = atomic_load(bucket);
	while (!atomic_compare_exchange_weak(bucket, &one->next, one))
		;
	return &one->folder;
}

const struct cwd_folder *cwd_find(void)
{
	if (apart.process != 0) {
		if (apart.process == sys_getpid())
			return apart.folder;
		apart.process = 0;
	}
	return atomic_load_explicit(&current, memory_order_acquire);
}

static void set(const struct cwd_folder *folder)
{
	if (folder)
		atomic_store(&cwd_used, true);
	if (link_owns()) {
		atomic_store(&current, folder);
	} else {
		apart.folder = folder;
		apart.process = sys_getpid();
	}
}

int cwd_enter(const struct cwd_folder *folder)
{
	int status = cwd_now() ? 0 : sys_go_nowhere(config_socket());

	if (status == 0)
		set(folder);
	return status;
}

/*
 * First this, then the kernel: the other way round another thread's cwd_enter() could leave us with neither.
 */
const struct cwd_folder *cwd_leave(void)
{
	const struct cwd_folder *before = cwd_now();

	if (before)
		set(NULL);
	return before;
}

void cwd_restore(const struct cwd_folder *before)
{
	if (before && !cwd_now())
		set(before);
}

static bool is_root(void)
{
	char path[2];

	return sys_working_folder(path, sizeof(path)) == 1 && path[0] == '/';
}

void cwd_went(void)
{
	if (link_owns())
		atomic_store_explicit(&seems_root, is_root(), memory_order_relaxed);
}

const struct cwd_folder *cwd_base(void)
{
	static const struct cwd_folder root = { .path = "", .physical = "" };
	const struct cwd_folder *folder = cwd_now();

	/* Calls that no hook sees may have gone elsewhere since. */
	if (!folder && atomic_load_explicit(&seems_root, memory_order_relaxed) && is_root())
		folder = &root;
	return folder;
}

/*
 * Does the path lead out of where it starts? There the kernel follows the directory itself, not the name it
 * was called by.
 */
static bool climbs(const char *path)
{
	int depth = 0;

	for (size_t part; *path && depth >= 0; path += part) {
		part = strcspn(path, "/");
		if (part == 2 && path[0] == '.' && path[1] == '.')
			depth--;
		else if (part > 1 || (part == 1 && path[0] != '.'))
			depth++;
		part += path[part] == '/';
	}
	return depth < 0;
}

const char *cwd_behind(const struct cwd_folder *folder, const char *path, char *into)
{
	const char *base;
	size_t length, rest;

	if (!folder || !path || !path[0] || path[0] == '/')
		return path;
	base = climbs(path) ? folder->physical : folder->path;
	length = strlen(base);
	rest = strlen(path);
	if (length + rest + 2 > PATH_MAX)
		return NULL;
	memcpy(into, base, length);
	into[length] = '/';
	memcpy(into + length + 1, path, rest + 1);
	return into;
}

/*
 * "MIRRORD_CWD=SOCKET:LENGTH:PATHPHYSICAL", LENGTH that of PATH. With another session's socket it is
 * ignored.
 */
size_t cwd_entry_size(const struct cwd_folder *folder)
{
	if (!folder)
		return 0;
	return sizeof(NAME) + strlen(config_socket()) + DIGITS + 2 + strlen(folder->path) + strlen(folder->physical);
}

void cwd_entry(const struct cwd_folder *folder, char *into)
{
	char digits[DIGITS];
	size_t count = 0;

	for (size_t rest = strlen(folder->path); rest > 0; rest /= 10)
		digits[count++] = (char)('0' + rest % 10);
	strcpy(into, NAME);
	strcat(into, config_socket());
	into += strlen(into);
	*into++ = ':';
	while (count > 0)
		*into++ = digits[--count];
	*into++ = ':';
	strcpy(into, folder->path);
	strcat(into, folder->physical);
}

bool cwd_is_entry(const char *entry)
{
	return strncmp(entry, NAME, sizeof(NAME) - 1) == 0;
}

void cwd_adopt(void)
{
	const char *at = getenv("MIRRORD_CWD"), *socket = config_socket();
	const struct cwd_folder *folder = NULL;
	size_t length = strlen(socket);
	uint32_t path = 0;

	cwd_went();
	if (!at || strncmp(at, socket, length) != 0 || at[length] != ':' || !sys_is_nowhere())
		return;
	for (at += length + 1; *at >= '0' && *at <= '9' && path < PATH_MAX; at++)
		path = path * 10 + (uint32_t)(*at - '0');
	length = strlen(at);
	if (*at == ':' && path < PATH_MAX && length > path + 1)
		folder = cwd_keep((struct wire_run){ .start = at + 1, .length = path },
				  (struct wire_run){ .start = at + 1 + path, .length = (uint32_t)(length - 1 - path) });
	if (folder)
		set(folder);
}
