/* What the calls about files share: the question to the session, and its result. See files.c. */
#ifndef LAYER_FILES_H
#define LAYER_FILES_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../link/link.h"
#include "../fds.h"
#include "../verdict.h"
#include "paths.h"
#include "remote.h"
#include "status.h"

/* linux/fcntl.h, which glibc shows to some only */
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* `where` of an answer. */
enum files_where {
	FILES_LOCAL = WIRE_WHERE_LOCAL,
	FILES_WHOLE = WIRE_WHERE_WHOLE,
	FILES_REMOTE = WIRE_WHERE_REMOTE,
};

/* What a call is about. */
enum files_about {
	FILES_PATH, /* the absolute path in `text` */
	FILES_BELOW, /* `path` relative to the descriptor `fd` */
	FILES_NAMED, /* the descriptor `fd`, named by a path: /dev/fd/N */
	FILES_ITSELF, /* the descriptor `fd`, by an empty path (AT_EMPTY_PATH of openat(2)) */
};

/* One call about a path. files_prepare() fills it in. */
struct files_call {
	int dirfd; /* dirfd and path are what libc is to be given when the answer is "local" */
	const char *path;
	int fd; /* of any `about` but FILES_PATH */
	uint32_t dir; /* the remote folder, or with an empty `text` the remote file, that is asked about; 0 = none */
	uint32_t length;
	enum files_about about;
	enum files_where where;
	long result; /* -errno of a call that fails before it is asked */
	char text[PATH_MAX];
};

/*
 * May a call about `path` be the session's to decide? Reads memory only. False: libc gets call->dirfd and
 * call->path, which are right also where the call cannot be asked about.
 */
bool files_prepare(struct files_call *call, int dirfd, const char *path);
/* The same, where AT_EMPTY_PATH in `flags` makes an empty path mean `dirfd` itself. */
bool files_prepare_at(struct files_call *call, int dirfd, const char *path, int flags);
/* Is it to be asked about a call that may be its? Otherwise libc gets call->dirfd and call->path. */
bool files_asked(struct files_call *call);
/* The call is about an open file of the target itself, kept by the session. */
void files_about_open(struct files_call *call, const struct fds_handle *open);
/* The two in one, in a vfork child: for ask_apart(). */
bool files_asked_apart(struct files_call *call, const char *path);
/* What an answer comes to: `result`, or -errno; libc's where it said "local". */
struct verdict files_verdict(struct files_call *call, long result);
struct ask;
/*
 * Asks, unless the call failed before, and returns the verdict of the answer; the function that takes the
 * answer may set call->result.
 */
struct verdict files_question(struct files_call *call, const struct ask *question);
/* The path of a question. */
static inline struct wire_run files_text(const struct files_call *call)
{
	return (struct wire_run){ .start = call->text, .length = call->length };
}
/* Takes the path over that a local answer names, if any. For unpackers. */
void files_local(struct files_call *call, uint8_t where, struct wire_run path);

/* mode & ~umask */
uint64_t files_mode(mode_t mode);

#endif
