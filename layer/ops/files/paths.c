/*
 * Paths, as bytes: their lexical normal form, and the session's rules about which are surely local, so that
 * the many opens of libraries and sources cost no question. Called by files.c. The rules come with hello's
 * answer, one a line: a letter and a text.
 * The invariant: rules are learned once and never change, so readers need no lock; a fork child inherits
 * them. The session is asked about every path that no rule makes local.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "../../sys/sys.h"
#include "paths.h"

enum rule_kind {
	ASK_PREFIX = 'A', /* begins so, ASCII letters without case */
	ASK_SUFFIX = 'a',
	LOCAL_TREE = 'L', /* is it, or lies below it */
	LOCAL_SUFFIX = 'l',
	LOCAL_PREFIX = 'P', /* begins so */
};

struct rule {
	enum rule_kind kind;
	uint32_t length;
	const char *text;
};

struct rules {
	bool caught;
	size_t count;
	struct rule all[];
};

static _Atomic(struct rules *) learned;

/* The folders of every Linux system: what a process needs to end in order when its session is lost. */
static const char system_folders[] = "L/bin\nL/dev\nL/lib\nL/lib64\nL/proc\nL/sbin\nL/sys\nL/usr\n";

/* The next line at *at; false at the end. */
static bool take_rule(const char **at, const char *end, struct rule *rule)
{
	const char *line = *at, *stop;

	if (line >= end)
		return false;
	stop = memchr(line, '\n', (size_t)(end - line));
	if (!stop)
		stop = end;
	*at = stop + 1;
	rule->kind = (enum rule_kind)line[0];
	rule->text = line + 1;
	rule->length = stop > line ? (uint32_t)(stop - line - 1) : 0;
	return true;
}

static struct rules *parse(bool caught, const char *text, size_t length)
{
	size_t lines = 1, size;
	struct rules *rules;
	const char *at;
	char *copy;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	size = sizeof(*rules) + lines * sizeof(rules->all[0]);
	rules = sys_map(size + length, false);
	if (!rules)
		return NULL;
	copy = (char *)rules + size;
	memcpy(copy, text, length);
	rules->caught = caught;
	at = copy;
	while (rules->count < lines && take_rule(&at, copy + length, &rules->all[rules->count]))
		rules->count++;
	return rules;
}

void paths_learn(bool caught, const char *rules, size_t length)
{
	struct rules *none = NULL, *ours;

	if (atomic_load(&learned))
		return;
	ours = parse(caught, rules, length);
	/* Of two threads that come first, the slower one leaves its copy behind. */
	if (ours)
		atomic_compare_exchange_strong(&learned, &none, ours);
}

bool paths_known(void)
{
	return atomic_load_explicit(&learned, memory_order_acquire) != NULL;
}

bool paths_caught(void)
{
	struct rules *rules = atomic_load_explicit(&learned, memory_order_acquire);

	return rules && rules->caught;
}

static bool same_letters(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

		if (x >= 'A' && x <= 'Z')
			x += 'a' - 'A';
		if (y >= 'A' && y <= 'Z')
			y += 'a' - 'A';
		if (x != y)
			return false;
	}
	return true;
}

static bool fits(const struct rule *rule, const char *path, size_t length)
{
	const char *tail = path + length - rule->length;

	if (rule->length > length)
		return false;
	switch (rule->kind) {
	case ASK_PREFIX:
		return same_letters(path, rule->text, rule->length);
	case ASK_SUFFIX:
		return same_letters(tail, rule->text, rule->length);
	case LOCAL_TREE:
		return memcmp(path, rule->text, rule->length) == 0 &&
		       (rule->length == length || rule->length == 1 || path[rule->length] == '/');
	case LOCAL_SUFFIX:
		return memcmp(tail, rule->text, rule->length) == 0;
	case LOCAL_PREFIX:
		return memcmp(path, rule->text, rule->length) == 0;
	}
	return false;
}

bool paths_is_local(const char *path, size_t length)
{
	struct rules *rules = atomic_load_explicit(&learned, memory_order_acquire);
	const char *at = system_folders, *end = at + sizeof(system_folders) - 1;
	struct rule one;
	bool local = false;

	if (length > 1 && path[length - 1] == '/')
		length--;
	if (!rules) {
		while (!local && take_rule(&at, end, &one))
			local = fits(&one, path, length);
		return local;
	}
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->all[i];
		bool asks = rule->kind == ASK_PREFIX || rule->kind == ASK_SUFFIX;

		if ((asks || !local) && fits(rule, path, length)) {
			if (asks)
				return false;
			local = true;
		}
	}
	return local;
}

/* May a path below the folder fit a rule that asks? */
static bool asks_below(const struct rule *rule, const char *path, size_t length)
{
	if (rule->kind == ASK_SUFFIX)
		return true;
	if (rule->kind != ASK_PREFIX)
		return false;
	/* The root, and only the root, has its slash already. */
	return length == 1 || (rule->length > length && rule->text[length] == '/' && same_letters(rule->text, path, length));
}

bool paths_tree_is_local(const char *path, size_t length)
{
	struct rules *rules = atomic_load_explicit(&learned, memory_order_acquire);
	bool local = false;

	if (length > 1 && path[length - 1] == '/')
		length--;
	if (!rules || !paths_is_local(path, length))
		return false;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->all[i];

		if (asks_below(rule, path, length))
			return false;
		if ((rule->kind == LOCAL_TREE || rule->kind == LOCAL_PREFIX) && fits(rule, path, length))
			local = true;
	}
	return local;
}

/* Where the last component of into[0..length) begins; `floor` is the end of what must stay. */
static size_t parent(const char *into, size_t length, size_t floor)
{
	while (length > floor && into[length - 1] != '/')
		length--;
	return length > floor ? length - 1 : floor;
}

int paths_normalise(const char *path, char *into)
{
	size_t length = 0, floor = 0, part;
	bool absolute = path[0] == '/', folder = false;

	if (!path[0])
		return -ENOENT;
	for (; *path; path += part) {
		part = strcspn(path, "/");
		folder = part == 0 || (part == 1 && path[0] == '.') || (part == 2 && path[0] == '.' && path[1] == '.');
		if (part == 0) {
			part = 1;
		} else if (folder && part == 2 && length > floor) {
			length = parent(into, length, floor);
		} else if (!folder || (part == 2 && !absolute)) {
			if (length + part + 3 > PATH_MAX)
				return -ENAMETOOLONG;
			if (length > 0 || absolute)
				into[length++] = '/';
			memmove(into + length, path, part); /* `into` may be `path` */
			length += part;
			if (folder)
				floor = length;
		}
	}
	if (length == 0)
		into[length++] = absolute ? '/' : '.';
	else if (folder)
		into[length++] = '/';
	into[length] = 0;
	return (int)length;
}

int paths_last_dots(const char *path)
{
	size_t length = strlen(path), dots = 0;

	while (length > 0 && path[length - 1] == '/')
		length--;
	while (dots < length && path[length - 1 - dots] == '.')
		dots++;
	return dots <= 2 && (dots == length || path[length - 1 - dots] == '/') ? (int)dots : 0;
}

int paths_descriptor(const char *path)
{
	static const char *const folders[] = { "/proc/self/fd/", "/dev/fd/", "/proc/thread-self/fd/" };
	static const char *const names[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	int number = 0;

	for (int i = 0; i < 3; i++)
		if (strcmp(path, names[i]) == 0)
			return i;
	for (int i = 0; i < 3; i++) {
		size_t length = strlen(folders[i]);

		if (strncmp(path, folders[i], length) != 0)
			continue;
		for (path += length; *path >= '0' && *path <= '9' && number < 1 << 20; path++)
			number = number * 10 + (*path - '0');
		return *path || path[-1] == '/' ? -1 : number;
	}
	return -1;
}
