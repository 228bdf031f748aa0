/*
 * Programs that the app starts: a child stays in the session whatever environment it gets, and one that
 * cannot load the layer is reported to the session. Called by hooks_processes_linux.c and, for posix_spawn,
 * by libc/spawn_folder_linux.c of preload/. The invariant: the caller's stack and raw system calls only,
 * since a vfork child comes here, whose memory is its parent's. So neither the link nor the registry is
 * touched; spawn_linux.c does that, but not in such a child. Not seen: system(3) and popen(3), which start a
 * shell without these names; it inherits the environment unchanged, except from a working directory of the
 * target (shell.c).
 */
#include <stdlib.h>
#include <string.h>

#include "../../link/config.h"
#include "../../link/link_apart.h"
#include "../../sys/program.h"
#include "../../sys/sys.h"
#include "../files/cwd.h"
#include "exec.h"
#include "../../writable.h"

#define PRELOAD PROGRAM_PRELOAD

static struct wire_run run_of(const char *text)
{
	return (struct wire_run){ .start = text, .length = (uint32_t)strlen(text) };
}

void exec_tell(const char *file, const char *reason)
{
	struct wire_unhooked message = { .executable = run_of(file), .reason = run_of(reason) };

	ask_tell_apart(ASK_TELL(unhooked, &message));
}

/* Reports to the session when `path` runs outside the pod, unless the developer wants that. */
void exec_report(const char *path, char *const argv[])
{
	char program[PROGRAM_PATH_BYTES];
	const char *obstacle;

	if (!program_find(path, "", program) || config_skips(program_name(program)) ||
	    (argv && argv[0] && config_skips(program_name(argv[0]))))
		return;
	program_follow(program);
	obstacle = program_obstacle(program, config_kept()->preload);
	if (!obstacle)
		obstacle = program_bare(config_kept()->library);
	if (obstacle && !config_skips(program_name(program)))
		exec_tell(program, obstacle);
}

void exec_report_found(const char *file, char *const argv[])
{
	char path[PROGRAM_PATH_BYTES];

	if (program_find(file, getenv("PATH"), path))
		exec_report(path, argv);
}

void exec_report_descriptor(int fd, char *const argv[])
{
	char path[64] = "/proc/self/fd/", digits[16];
	size_t at = strlen(path), count = 0;

	for (unsigned int rest = fd < 0 ? 0 : (unsigned int)fd; count == 0 || rest > 0; rest /= 10)
		digits[count++] = (char)('0' + rest % 10);
	while (count > 0)
		path[at++] = digits[--count];
	path[at] = 0;
	exec_report(path, argv);
}

static bool is_named(const char *entry, const char *name, size_t length)
{
	return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

/* Does the list of libraries to load before others (ld.so(8), dyld(1)) name `library`? */
static bool preloads(const char *list, const char *library)
{
	size_t wanted = strlen(library), length;

	for (; *list; list += length + (list[length] != 0)) {
		length = strcspn(list, PROGRAM_PRELOAD_BETWEEN);
		if (length == wanted && strncmp(list, library, length) == 0)
			return true;
	}
	return false;
}

/* What an environment is to us. */
struct found {
	size_t count;
	const char *preload; /* the value of that variable, or NULL */
	size_t kept; /* of our variables, how many are there as they should be */
	bool foreign; /* it is another session's: mirrord runs within mirrord */
	bool placed; /* it says where a program starts: this one, or one before */
};

static struct found look(char *const envp[], const struct config_kept *kept)
{
	struct found found = { .count = 0 };

	for (; envp && envp[found.count]; found.count++) {
		const char *entry = envp[found.count];

		if (strncmp(entry, PRELOAD, strlen(PRELOAD)) == 0)
			found.preload = entry + strlen(PRELOAD);
		if (cwd_is_entry(entry))
			found.placed = true;
		for (size_t i = 0; i < kept->count; i++) {
			if (strcmp(entry, kept->entries[i]) == 0)
				found.kept++;
			else if (i == 0 && is_named(entry, kept->entries[0], strcspn(kept->entries[0], "=")))
				found.foreign = true;
		}
	}
	return found;
}

static bool is_ours(const struct exec_child *child, const char *entry, const struct config_kept *kept)
{
	if (strncmp(entry, PRELOAD, strlen(PRELOAD)) == 0 || (cwd_is_entry(entry) && child->places))
		return true;
	for (size_t i = 0; i < kept->count; i++)
		if (is_named(entry, kept->entries[i], strcspn(kept->entries[i], "=")))
			return true;
	return false;
}

int exec_start(const struct exec_child *child, exec_run run, const void *call)
{
	const struct config_kept *kept = config_kept();
	const struct cwd_folder *folder = child->folder;
	char *const *envp = child->envp;
	struct found found = look(envp, kept);
	bool loaded = found.preload && preloads(found.preload, kept->preload);
	size_t theirs = found.preload ? strlen(found.preload) : 0, count = 0;
	char preload[sizeof(PRELOAD) + PROGRAM_PATH_BYTES + theirs + 1], placed[cwd_entry_size(folder) + 1];
	char *made[found.count + kept->count + 3];

	if (found.foreign || !kept->library[0] || (loaded && found.kept == kept->count && !found.placed && !folder))
		return run(call, envp);
	for (size_t i = 0; i < found.count; i++)
		if (!is_ours(child, envp[i], kept))
			made[count++] = envp[i];
	for (size_t i = 0; i < kept->count; i++)
		made[count++] = writable(kept->entries[i]);
	strcpy(preload, PRELOAD);
	if (!loaded)
		strcat(preload, kept->preload);
	if (!loaded && theirs > 0)
		strcat(preload, ":");
	if (theirs > 0)
		strcat(preload, found.preload);
	made[count++] = preload;
	if (folder) {
		cwd_entry(folder, placed);
		made[count++] = placed;
	}
	made[count] = NULL;
	return run(call, made);
}
