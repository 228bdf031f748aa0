/*
 * Programs that the app starts: exec and its relatives; posix_spawn is in spawn_folder.c. A child stays in the session
 * whatever environment it is handed, and one that the layer cannot get into is told to the session. Called by preload/.
 * The invariant: nothing but the caller's stack and raw system calls, for a vfork child comes here, whose memory is
 * its parent's. So nothing of the link or the registry is touched either; spawn.c does, but not in such a child.
 * Not seen: system(3) and popen(3), which start a shell past these names; that inherits the environment as it is, but from a
 * working directory of the target (shell.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../guard.h"
#include "../hooks.h"
#include "../program.h"
#include "../sys.h"
#include "cwd.h"
#include "exec.h"
#include "files.h"

#define PRELOAD "LD_PRELOAD="
#define REPORT_BYTES (WIRE_UNHOOKED_BYTES + PROGRAM_PATH_BYTES + 64)

static struct wire_run run_of(const char *text)
{
	return (struct wire_run){ .start = text, .length = (uint32_t)strlen(text) };
}

/* Tells the session when `path` runs outside the pod, but for what the developer wants to. */
void exec_report(const char *path, char *const argv[])
{
	unsigned char body[REPORT_BYTES];
	struct wire_unhooked message;
	struct link_ask ask = { .kind = WIRE_UNHOOKED, .body = body };
	char program[PROGRAM_PATH_BYTES];
	const char *obstacle;
	int length;

	if (!program_find(path, "", program) || config_skips(program_name(program)) ||
	    (argv && argv[0] && config_skips(program_name(argv[0]))))
		return;
	program_follow(program);
	obstacle = program_obstacle(program);
	if (!obstacle || config_skips(program_name(program)))
		return;
	message.executable = run_of(program);
	message.reason = run_of(obstacle);
	length = wire_pack_unhooked(&message, body, sizeof(body));
	if (length < 0)
		return;
	ask.length = (size_t)length;
	link_say_apart(&ask);
}

void exec_report_found(const char *file, char *const argv[])
{
	char path[PROGRAM_PATH_BYTES];

	if (program_find(file, getenv("PATH"), path))
		exec_report(path, argv);
}

static void report_descriptor(int fd, char *const argv[])
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

/* Does the list of LD_PRELOAD, whose elements are parted by colons or blanks (ld.so(8)), name `library`? */
static bool preloads(const char *list, const char *library)
{
	size_t wanted = strlen(library), length;

	for (; *list; list += length + (list[length] != 0)) {
		length = strcspn(list, ": ");
		if (length == wanted && strncmp(list, library, length) == 0)
			return true;
	}
	return false;
}

/* What an environment is to us. */
struct found {
	size_t count;
	const char *preload; /* the value of LD_PRELOAD, or NULL */
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

static bool is_ours(const char *entry, const struct config_kept *kept)
{
	if (strncmp(entry, PRELOAD, strlen(PRELOAD)) == 0 || (cwd_is_entry(entry) && guard_active()))
		return true;
	for (size_t i = 0; i < kept->count; i++)
		if (is_named(entry, kept->entries[i], strcspn(kept->entries[i], "=")))
			return true;
	return false;
}

int exec_start(const struct cwd_folder *folder, char *const envp[], exec_run run, const void *call)
{
	const struct config_kept *kept = config_kept();
	struct found found = look(envp, kept);
	bool loaded = found.preload && preloads(found.preload, kept->library);
	size_t theirs = found.preload ? strlen(found.preload) : 0, count = 0;
	char preload[sizeof(PRELOAD) + PROGRAM_PATH_BYTES + theirs + 1], placed[cwd_entry_size(folder) + 1];
	char *made[found.count + kept->count + 3];

	if (found.foreign || !kept->library[0] || (loaded && found.kept == kept->count && !found.placed && !folder))
		return run(call, envp);
	for (size_t i = 0; i < found.count; i++)
		if (!is_ours(envp[i], kept))
			made[count++] = envp[i];
	for (size_t i = 0; i < kept->count; i++)
		made[count++] = (char *)kept->entries[i];
	strcpy(preload, PRELOAD);
	if (!loaded)
		strcat(preload, kept->library);
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

static int start_within(char *const envp[], exec_run run, const void *call)
{
	return exec_start(cwd_now(), envp, run, call);
}

const char *exec_path(const struct cwd_folder *folder, const char *path, char *into)
{
	char joined[PATH_MAX];
	const char *whole = cwd_behind(folder, path, joined);
	int status;

	if (whole != joined)
		return whole;
	status = files_find_program(whole, into);
	if (status == 0)
		return into;
	errno = -status;
	return NULL;
}

const char *exec_file(const struct cwd_folder *folder, const char *file, char *into)
{
	return strchr(file, '/') ? exec_path(folder, file, into) : file;
}

struct exec_call {
	const char *path;
	char *const *argv;
	int fd;
	int flags;
};

static int run_execve(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execve(one->path, one->argv, envp);
}

static int run_execvpe(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execvpe(one->path, one->argv, envp);
}

static int run_fexecve(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_fexecve(one->fd, one->argv, envp);
}

static int run_execveat(const void *call, char *const envp[])
{
	const struct exec_call *one = call;

	return next_execveat(one->fd, one->path, one->argv, envp, one->flags);
}

int layer_execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec_call call = { .argv = argv };
	char whole[PATH_MAX];

	if (!path || !guard_session())
		return next_execve(path, argv, envp);
	call.path = exec_path(cwd_now(), path, whole);
	if (!call.path)
		return -1;
	exec_report(call.path, argv);
	return start_within(envp, run_execve, &call);
}

int layer_execv(const char *path, char *const argv[])
{
	return layer_execve(path, argv, environ);
}

int layer_execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct exec_call call = { .argv = argv };
	char whole[PATH_MAX];

	if (!file || !guard_session())
		return next_execvpe(file, argv, envp);
	call.path = exec_file(cwd_now(), file, whole);
	if (!call.path)
		return -1;
	exec_report_found(call.path, argv);
	return start_within(envp, run_execvpe, &call);
}

int layer_execvp(const char *file, char *const argv[])
{
	return layer_execvpe(file, argv, environ);
}

int layer_fexecve(int fd, char *const argv[], char *const envp[])
{
	struct exec_call call = { .fd = fd, .argv = argv };

	if (!guard_session())
		return next_fexecve(fd, argv, envp);
	report_descriptor(fd, argv);
	return start_within(envp, run_fexecve, &call);
}

int layer_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct exec_call call = { .path = path, .argv = argv, .fd = fd, .flags = flags };
	char whole[PATH_MAX];

	if (!path || !guard_session())
		return next_execveat(fd, path, argv, envp, flags);
	if (fd == AT_FDCWD) {
		call.path = path = exec_path(cwd_now(), path, whole);
		if (!path)
			return -1;
	}
	if (path[0] == '/' || fd == AT_FDCWD)
		exec_report(path, argv);
	else if (!path[0])
		report_descriptor(fd, argv);
	return start_within(envp, run_execveat, &call);
}
