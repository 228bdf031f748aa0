/*
 * The hooks of chdir and fchdir. A directory of the target is entered in ops/files/cwd.c, once
 * ops/files/folder.c found it; libc enters one of this machine.
 */
#include "../hooks.h"
#include "../ops/files/folder.h"
#include "edge_folder.h"
#include "edge_file.h"
#include "edge_path.h"

static struct verdict enter(struct verdict found, const struct cwd_folder *folder)
{
	return found.kind == VERDICT_VALUE ? verdict_result(cwd_enter(folder)) : found;
}

static struct verdict enter_path(struct files_call *call)
{
	const struct cwd_folder *folder;
	struct verdict found = folder_find(call, &folder);

	return enter(found, folder);
}

static struct verdict enter_asked(struct files_call *call)
{
	return files_asked(call) ? enter_path(call) : verdict_libc();
}

static struct verdict enter_open(const struct fds_handle *open)
{
	const struct cwd_folder *folder;
	struct verdict found = folder_find_open(open, &folder);

	return enter(found, folder);
}

/* libc was asked to leave the target's directory, if any, for one of this machine; what the hook returns. */
static int left(const struct cwd_folder *before, int result)
{
	if (result < 0)
		cwd_restore(before);
	else if (guard_active())
		cwd_went();
	return result;
}

static int go(const char *path)
{
	const struct cwd_folder *before = cwd_leave();

	return left(before, next_chdir(path));
}

static int go_open(int fd)
{
	const struct cwd_folder *before = cwd_leave();

	return left(before, next_fchdir(fd));
}

/* In a vfork child, which has no guard. */
static int go_apart(struct files_call *call, const char *path)
{
	struct verdict verdict = files_asked_apart(call, path) ? enter_path(call) : verdict_libc();

	return verdict.kind == VERDICT_LIBC ? go(call->path) : (int)edge_result(verdict);
}

int layer_chdir(const char *path)
{
	struct files_call call;

	return edge_is_apart() ? go_apart(&call, path) : EDGE_PATH(path, enter_asked(&call), go(call.path));
}

int layer_fchdir(int fd)
{
	return EDGE_OPEN(fd, enter_open(&open), go_open(fd));
}
