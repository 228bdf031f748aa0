/*
 * Whether the session is asked about a path, and how a call about one is decided. Called by the other files
 * here.
 * The invariant: an absolute path, and one relative to a working directory of the target, is local only by
 * the session's rules or its answer; so is one relative to the root, or to an open folder below which paths
 * of the target may be. Any other relative path is local unless its folder is a remote one. A lost link is
 * EIO, never the local file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../link/ask.h"
#include "../../link/config.h"
#include "../../sys/sys.h"
#include "../../sys/sys_files.h"
#include "cwd.h"
#include "files.h"

/*
 * Beside the session's socket there is a file with the rules on files from hello's answer, so that most
 * processes need no link.
 */
#define RULES_PATH_BYTES 128
#define RULES_BYTES (64u * 1024u)

/* Reads that file: "1" or "0" for caught or not, a line's end, the rules. */
static void learn_from_file(void)
{
	char path[RULES_PATH_BYTES];
	size_t length = strlen(config_socket());
	char *text;
	long size;

	if (length + sizeof(WIRE_RULES_SUFFIX) > sizeof(path))
		return;
	text = sys_map(RULES_BYTES, false);
	if (!text)
		return;
	memcpy(path, config_socket(), length);
	memcpy(path + length, WIRE_RULES_SUFFIX, sizeof(WIRE_RULES_SUFFIX));
	size = sys_read_file(path, text, RULES_BYTES);
	if (size >= 2 && (text[0] == '0' || text[0] == '1') && text[1] == '\n')
		paths_learn(text[0] == '1', text + 2, (size_t)size - 2);
	sys_unmap(text, RULES_BYTES);
}

/* 1: files are caught; 0: they are not; -EIO: the session is lost before it said so. */
static int caught(void)
{
	struct wire_run rules;
	int floor;

	if (!paths_known())
		learn_from_file();
	if (!paths_known()) {
		floor = ask_floor(LINK_FILES);
		if (floor < 0)
			return floor;
		rules = link_paths();
		paths_learn(floor > 0, rules.start, rules.length);
	}
	return paths_caught();
}

static __attribute__((noinline)) bool may_be_targets(const char *path, size_t length)
{
	char folder[PATH_MAX];
	int normal;

	memcpy(folder, path, length);
	folder[length] = 0;
	normal = paths_normalise(folder, folder);
	return normal > 0 && !paths_is_local(folder, (size_t)normal);
}

/*
 * A local path that climbs out of a folder which may be the target's ("/data/.."): the kernel would look for
 * that folder here, so libc is given the path without it.
 */
static void leave_folder(struct files_call *call)
{
	const char *up = call->path[0] == '/' && call->path != call->text ? strstr(call->path, "/..") : NULL;
	size_t given = up ? (size_t)(up - call->path) : 0;

	if (given > 0 && given < PATH_MAX && call->length > 0 && may_be_targets(call->path, given))
		call->path = call->text;
}

struct verdict files_verdict(struct files_call *call, long result)
{
	if (result < 0 || call->where != FILES_LOCAL)
		return verdict_result(result);
	leave_folder(call);
	return verdict_libc();
}

struct verdict files_question(struct files_call *call, const struct ask *question)
{
	int status = (int)call->result;

	if (status == 0)
		status = ask_now(question);
	return files_verdict(call, status < 0 ? status : call->result);
}

void files_local(struct files_call *call, uint8_t where, struct wire_run path)
{
	call->where = (enum files_where)where;
	if (where != FILES_LOCAL || path.length == 0 || path.length >= sizeof(call->text))
		return;
	memcpy(call->text, path.start, path.length);
	call->text[path.length] = 0;
	call->path = call->text;
	call->dirfd = AT_FDCWD;
}

/* `path`: call->path, or what it means as an absolute one, in call->text. */
static bool prepare_absolute(struct files_call *call, const char *path)
{
	int length, fd;

	/* While nothing is known, the question comes first: it starts the layer. */
	if (paths_known() && !paths_caught())
		return false;
	length = paths_normalise(path, call->text);
	if (length == -ENOENT)
		return false;
	fd = length > 0 ? paths_descriptor(call->text) : -1;
	if (fd >= 0) {
		call->about = FILES_NAMED;
		call->fd = fd;
		return fds_seems(fd, FDS_FILE);
	}
	call->about = FILES_PATH;
	call->length = length > 0 ? (uint32_t)length : 0;
	call->result = length < 0 ? length : 0;
	if (length > 0 && paths_known() && paths_is_local(call->text, (size_t)length)) {
		leave_folder(call);
		return false;
	}
	return true;
}

static void begin(struct files_call *call, int dirfd, const char *path)
{
	call->dirfd = dirfd;
	call->path = path;
	call->dir = 0;
	call->length = 0;
	call->result = 0;
	call->where = FILES_REMOTE;
	call->about = FILES_PATH;
}

/*
 * A path relative to a working directory of the target, or to the root: call->path becomes absolute, for libc
 * too where it is local. False: the path is too long, and call->result is the error.
 */
static bool make_whole(struct files_call *call)
{
	const char *whole = cwd_absolute(call->path, call->text);

	if (whole)
		call->path = whole;
	else
		call->result = -ENAMETOOLONG;
	return whole;
}

/*
 * The length of the path of the local folder that call->path is relative to, where the whole path decides;
 * otherwise 0.
 */
static size_t whole_from(const struct files_call *call, char *into)
{
	int length;

	if (call->dirfd == AT_FDCWD || (paths_known() && !paths_caught()) || fds_seems(call->dirfd, FDS_WHOLE))
		return 0;
	length = sys_descriptor_path(call->dirfd, into, PATH_MAX);
	if (length <= 0 || length == PATH_MAX || into[0] != '/')
		return 0;
	return paths_known() && paths_tree_is_local(into, (size_t)length) ? 0 : (size_t)length;
}

/*
 * A path relative to a folder of this machine below which the target's may lie: programs that trust no link
 * open a path part by part, from the root on. Local, libc gets it as it was given.
 */
static bool prepare_behind(struct files_call *call)
{
	size_t length = whole_from(call, call->text), rest = strlen(call->path);

	if (length == 0)
		return false;
	if (length + 1 + rest >= sizeof(call->text))
		return false; /* the kernel says that it is too long, or that there is no such thing here */
	call->text[length] = '/';
	memcpy(call->text + length + 1, call->path, rest + 1);
	return prepare_absolute(call, call->text);
}

bool files_prepare(struct files_call *call, int dirfd, const char *path)
{
	begin(call, dirfd, path);
	if (!path || !path[0])
		return false;
	if (dirfd == AT_FDCWD && !make_whole(call))
		return true;
	if (call->path[0] == '/')
		return prepare_absolute(call, call->path);
	if (dirfd == AT_FDCWD || !fds_seems(dirfd, FDS_FILE))
		return prepare_behind(call);
	call->about = FILES_BELOW;
	call->fd = dirfd;
	return true;
}

bool files_prepare_at(struct files_call *call, int dirfd, const char *path, int flags)
{
	bool empty = (flags & AT_EMPTY_PATH) && (!path || !path[0]);

	if (!empty || (dirfd == AT_FDCWD && cwd_now()))
		return files_prepare(call, dirfd, empty ? "." : path);
	begin(call, dirfd, path);
	call->about = FILES_ITSELF;
	call->fd = dirfd;
	return fds_seems(dirfd, FDS_FILE) || fds_seems(dirfd, FDS_WHOLE);
}

void files_about_open(struct files_call *call, const struct fds_handle *open)
{
	begin(call, open->fd, "");
	call->about = FILES_ITSELF;
	call->fd = open->fd;
	call->dir = open->note.file.id;
	call->text[0] = 0;
}

static bool is_path_asked(struct files_call *call)
{
	int status = caught();

	if (call->result == 0 && (status > 0 || (status < 0 && !paths_known())) &&
	    paths_is_local(call->text, call->length))
		status = 0;
	if (status == 0) {
		call->result = 0;
		leave_folder(call);
		return false;
	}
	/* Found out by the question: nothing is asked of a lost session, nor about an impossible path. */
	if (status < 0)
		call->result = status;
	return true;
}

bool files_asked(struct files_call *call)
{
	struct fds_handle open;
	int length;

	if (call->about == FILES_PATH)
		return is_path_asked(call);
	if (!fds_find(call->fd, &open) || open.note.state != FDS_FILE)
		return call->about == FILES_BELOW && prepare_behind(call) && files_asked(call);
	call->dir = open.note.file.id;
	call->text[0] = 0;
	if (call->about == FILES_BELOW) {
		length = paths_normalise(call->path, call->text);
		call->length = length > 0 ? (uint32_t)length : 0;
		call->result = length < 0 ? length : 0;
	}
	return true;
}

bool files_asked_apart(struct files_call *call, const char *path)
{
	int length;

	begin(call, AT_FDCWD, path);
	if (!path || !path[0])
		return false;
	if (!make_whole(call))
		return true;
	if (!paths_known())
		learn_from_file();
	if (call->path[0] != '/' || !paths_caught())
		return false;
	length = paths_normalise(call->path, call->text);
	call->result = length < 0 ? length : 0;
	call->length = length > 0 ? (uint32_t)length : 0;
	return length < 0 || !paths_is_local(call->text, (size_t)length);
}

uint64_t files_mode(mode_t mode)
{
	return mode & ~sys_umask() & 07777;
}
