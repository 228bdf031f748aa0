/*
 * What starting a program, and going to a folder, asks of the session. Called by hooks_files_folder.c, the
 * edges of exec, and posix_spawn. The invariant: a vfork child takes no guard and touches nothing but the
 * stack.
 */
#include <string.h>

#include "../ops/files/folder.h"
#include "edge_folder.h"
#include "edge_file.h"
#include "edge_path.h"

/* Of a verdict that is libc's. */
#define LOCAL 1

bool edge_is_apart(void)
{
	return !guard_inside && guard_active() && !link_owns();
}

static struct verdict find_folder(struct files_call *call, const struct cwd_folder **folder)
{
	return files_asked(call) ? folder_find(call, folder) : verdict_libc();
}

int edge_find_folder(const char *path, const struct cwd_folder **folder, char *local)
{
	struct files_call call;
	int status;

	*folder = NULL;
	status = EDGE_PATH(path, find_folder(&call, folder), LOCAL);
	if (status != LOCAL)
		return status < 0 ? -errno : 0;
	if (strlen(call.path) >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(local, call.path, strlen(call.path) + 1);
	return 0;
}

int edge_open_as_folder(int fd, const struct cwd_folder **folder)
{
	*folder = NULL;
	return EDGE_OPEN(fd, folder_find_open(&open, folder), 0) < 0 ? -errno : 0;
}

static struct verdict find_program(struct files_call *call)
{
	return files_asked(call) ? folder_program(call) : verdict_libc();
}

/* Puts the path here of a program that is called call->text, absolute, in its place. */
static int put_program(struct files_call *call)
{
	struct verdict verdict = verdict_libc();
	int saved, length;

	if (edge_is_apart()) {
		if (files_asked_apart(call, call->text))
			verdict = folder_program(call);
	} else if (files_prepare(call, AT_FDCWD, call->text) && guard_enter(&saved)) {
		verdict = find_program(call);
		guard_leave(saved, 0);
	}
	if (verdict.kind == VERDICT_ERROR)
		return (int)-verdict.value;
	length = paths_normalise(call->path, call->text);
	return length < 0 ? length : 0;
}

int edge_program_path(const struct cwd_folder *folder, const char **path, struct files_call *room)
{
	const char *whole = cwd_behind(folder, *path, room ? room->text : NULL);
	int status = whole ? 0 : -ENAMETOOLONG;

	if (whole && room && whole == room->text)
		status = put_program(room);
	*path = whole;
	return status;
}

int edge_program_file(const struct cwd_folder *folder, const char **file, struct files_call *room)
{
	return strchr(*file, '/') ? edge_program_path(folder, file, room) : 0;
}
