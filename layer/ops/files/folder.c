/*
 * The working directory: which folder a program may enter, its path, and the programs that may be run from
 * there. The target's kernel decides whether its process may enter it, and its path; cwd.c keeps the present
 * one. Called by the edges of chdir, exec and posix_spawn. A vfork child (Python's and Go's of a subprocess
 * with a directory) asks on a connection of its own, and leaves its parent's memory as it is.
 */
#include <errno.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../link/link.h"
#include "../../link/link_apart.h"
#include "folder.h"

struct entering {
	struct files_call *call;
	const struct cwd_folder *folder;
};

static int take_enter(void *context, const void *from)
{
	struct entering *entering = context;
	const struct wire_enter_reply *reply = from;

	files_local(entering->call, reply->where, reply->path);
	if (reply->where == FILES_LOCAL)
		return 0;
	entering->folder = cwd_keep(reply->path, reply->physical);
	return entering->folder ? 0 : -ENOMEM;
}

/* By a link of this process, or, in a vfork child, by a connection of its own. */
static int send_question(const struct ask *question)
{
	return link_owns() ? ask_now(question) : ask_apart(question);
}

struct verdict folder_find(struct files_call *call, const struct cwd_folder **folder)
{
	struct wire_enter message = { .dir = call->dir, .path = files_text(call) };
	struct entering entering = { .call = call };
	int status;

	*folder = NULL;
	if (call->result < 0)
		return verdict_result(call->result);
	status = send_question(ASK_TAKE(enter, &message, take_enter, &entering));
	*folder = status == 0 ? entering.folder : NULL;
	return files_verdict(call, status);
}

struct verdict folder_find_open(const struct fds_handle *open, const struct cwd_folder **folder)
{
	struct files_call call;

	*folder = NULL;
	if (open->note.state != FDS_FILE)
		return verdict_libc();
	files_about_open(&call, open);
	return folder_find(&call, folder);
}

static int take_access(void *context, const void *from)
{
	const struct wire_access_reply *reply = from;

	files_local(context, reply->where, reply->path);
	return 0;
}

struct verdict folder_program(struct files_call *call)
{
	struct wire_access message = { .path = files_text(call) };
	int status = (int)call->result;

	if (status == 0)
		status = send_question(ASK_TAKE(access, &message, take_access, call));
	return files_verdict(call, status == 0 && call->where != FILES_LOCAL ? -EACCES : status);
}

struct verdict folder_working(char *into, size_t size)
{
	const struct cwd_folder *folder = cwd_now();
	size_t needed = folder ? strlen(folder->physical) + 1 : 0;

	if (!folder)
		return verdict_libc();
	if (size < needed)
		return verdict_result(size == 0 ? -EINVAL : -ERANGE);
	if (!into)
		return verdict_result(-EFAULT);
	memcpy(into, folder->physical, needed);
	return verdict_result((long)needed);
}
