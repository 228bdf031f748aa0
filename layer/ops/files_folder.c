/*
 * The working directory: chdir, fchdir, and what tells it. A directory of the target is entered in cwd.c; for one of this
 * machine libc does it. The target's kernel decides whether its process may go there, and what the place is called.
 * A vfork child (Python's and Go's of a subprocess with a directory) asks on a connection of its own, and leaves its
 * parent's memory as it is.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../guard.h"
#include "../hooks.h"
#include "cwd.h"
#include "files.h"

struct entering {
	struct files_call *call;
	const struct cwd_folder *folder;
};

static int unpack_enter(void *context, const unsigned char *from, size_t length)
{
	struct entering *entering = context;
	struct wire_enter_reply reply;

	if (wire_unpack_enter_reply(&reply, from, length) < 0)
		return -EIO;
	files_local(entering->call, reply.where, reply.path);
	if (reply.where == FILES_LOCAL)
		return 0;
	entering->folder = cwd_keep(reply.path, reply.physical);
	return entering->folder ? 0 : -ENOMEM;
}

/* By a link of this process, or, in a vfork child, by a connection of its own. */
static int send_question(const struct link_ask *question, link_unpack unpack, void *context)
{
	return link_owns() ? link_request(question, unpack, context) : link_ask_apart(question, unpack, context);
}

/* May one go to what `call` is about, and what is it then? NULL: it is local. 0 or -errno. */
static int ask(struct files_call *call, const struct cwd_folder **folder)
{
	struct wire_enter message = { .dir = call->dir };
	struct entering entering = { .call = call };
	unsigned char body[WIRE_ENTER_BYTES + PATH_MAX];
	struct link_ask question = { .kind = WIRE_ENTER, .body = body };
	int length, status;

	*folder = NULL;
	if (call->result < 0)
		return (int)call->result;
	message.path = (struct wire_run){ .start = call->text, .length = call->length };
	length = wire_pack_enter(&message, body, sizeof(body));
	if (length < 0)
		return length;
	question.length = (size_t)length;
	status = send_question(&question, unpack_enter, &entering);
	*folder = status == 0 ? entering.folder : NULL;
	return status;
}

static int enter(struct files_call *call)
{
	const struct cwd_folder *folder;
	int status = ask(call, &folder);

	return folder ? cwd_enter(folder) : status;
}

int files_find_folder(const char *path, const struct cwd_folder **folder, char *local)
{
	struct files_call call;

	*folder = NULL;
	if (files_asks(&call, AT_FDCWD, path) && files_decided(&call, ask(&call, folder)))
		return files_result(&call) < 0 ? -errno : 0;
	if (strlen(call.path) >= PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(local, call.path);
	return 0;
}

int files_open_as_folder(int fd, const struct cwd_folder **folder)
{
	struct files_call call = { .result = 0 };
	struct files_open open;

	*folder = NULL;
	if (!files_remote(&open, fd))
		return 0;
	call.dir = open.file.id;
	return files_leave(&open, ask(&call, folder)) < 0 ? -errno : 0;
}

/* In a vfork child: is the session to be asked about `path`? */
static bool asks_apart(struct files_call *call, const char *path)
{
	return !guard_inside && guard_active() && !link_owns() && files_asks_apart(call, path);
}

/* In a vfork child: true, decided, *result is what the hook returns. */
static bool enters_apart(struct files_call *call, const char *path, int *result)
{
	int saved = errno, status;

	if (!asks_apart(call, path))
		return false;
	status = enter(call);
	if (status == 0 && call->where == FILES_LOCAL)
		return false;
	errno = status < 0 ? -status : saved;
	*result = status < 0 ? -1 : 0;
	return true;
}

/* The target's programs are not run: of one that is there EACCES, as of a file system mounted noexec. */
static int ask_program(struct files_call *call)
{
	struct wire_access message = { .path = { .start = call->text, .length = call->length } };
	unsigned char body[WIRE_ACCESS_BYTES + PATH_MAX];
	struct link_ask question = { .kind = WIRE_ACCESS, .body = body };
	int length = wire_pack_access(&message, body, sizeof(body)), status = (int)call->result;

	if (length < 0)
		status = length;
	question.length = (size_t)length;
	if (status == 0)
		status = send_question(&question, files_unpack_access, call);
	return status == 0 && call->where != FILES_LOCAL ? -EACCES : status;
}

int files_find_program(const char *path, char *local)
{
	struct files_call call;
	int status = 0, length;

	if (files_asks(&call, AT_FDCWD, path)) {
		if (files_decided(&call, ask_program(&call)))
			return files_result(&call) < 0 ? -errno : -EACCES;
	} else if (asks_apart(&call, path)) {
		status = ask_program(&call);
	}
	length = status < 0 ? status : paths_normalise(call.path, local);
	return length < 0 ? length : 0;
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

int layer_chdir(const char *path)
{
	const struct cwd_folder *before;
	struct files_call call;
	int result;

	if (files_asks(&call, AT_FDCWD, path)) {
		if (files_decided(&call, enter(&call)))
			return (int)files_result(&call);
	} else if (enters_apart(&call, path, &result)) {
		return result;
	}
	before = cwd_leave();
	return left(before, next_chdir(call.path));
}

int layer_fchdir(int fd)
{
	const struct cwd_folder *before;
	struct files_call call;
	struct files_open open;

	if (files_remote(&open, fd)) {
		call.dir = open.file.id;
		call.length = 0;
		call.result = 0;
		return (int)files_leave(&open, enter(&call));
	}
	before = cwd_leave();
	return left(before, next_fchdir(fd));
}

/* getcwd(3): memory for the app when it brings none, as much as it says, or as is needed. */
static char *tell(const char *path, char *into, size_t size)
{
	size_t needed = strlen(path) + 1;

	if (into && size == 0) {
		errno = EINVAL;
		return NULL;
	}
	if (size > 0 && size < needed) {
		errno = ERANGE;
		return NULL;
	}
	if (!into)
		into = malloc(size > 0 ? size : needed);
	return into ? memcpy(into, path, needed) : NULL;
}

char *layer_getcwd(char *into, size_t size)
{
	const struct cwd_folder *folder = cwd_now();

	return folder ? tell(folder->physical, into, size) : next_getcwd(into, size);
}

char *layer___getcwd_chk(char *into, size_t count, size_t size)
{
	return count > size || !cwd_now() ? next___getcwd_chk(into, count, size) : layer_getcwd(into, count);
}

/* getwd(3): what calls it brings PATH_MAX bytes, and no folder here is longer. */
char *layer_getwd(char *into)
{
	return into && cwd_now() ? layer_getcwd(into, PATH_MAX) : next_getwd(into);
}

char *layer___getwd_chk(char *into, size_t size)
{
	const struct cwd_folder *folder = cwd_now();

	if (!folder)
		return next___getwd_chk(into, size);
	/* What does not fit is ended by libc. */
	if (strlen(folder->physical) >= size)
		return next___getcwd_chk(into, size + 1, size);
	return layer_getcwd(into, size);
}

/* PWD, if that is the same directory. */
char *layer_get_current_dir_name(void)
{
	const struct cwd_folder *folder = cwd_now();
	const char *name = getenv("PWD");
	struct stat named, here;
	int saved = errno;
	bool same;

	if (!folder)
		return next_get_current_dir_name();
	same = name && layer_stat(".", &here) == 0 && layer_stat(name, &named) == 0 && named.st_dev == here.st_dev &&
	       named.st_ino == here.st_ino;
	errno = saved;
	return tell(same ? name : folder->physical, NULL, 0);
}

/* getcwd(2) as the kernel has it: the length with its end. */
long files_getcwd(char *into, size_t size)
{
	return layer_getcwd(into, size) ? (long)strlen(into) + 1 : -1;
}
