/*
 * macOS keeps the layer out of its own programs (System Integrity Protection) and out of hardened ones. The
 * session makes copies of them that it can get into, and says which is to be started; it also resolves a
 * script's first line, since the interpreter that is named there may be such a program (core/launch/darwin).
 * Called by the edges of exec and posix_spawn. The caller's stack only: a vfork child comes here.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "../../link/ask.h"
#include "../../link/config.h"
#include "../../link/link.h"
#include "../../link/link_apart.h"
#include "../../sys/program.h"
#include "../../sys/sys_files.h"
#include "replaced.h"
#include "../../writable.h"

static int take(void *context, const void *from)
{
	const struct wire_program_reply *reply = from;
	struct replaced *answer = context;

	if (reply->path.length == 0 || reply->path.length >= sizeof(answer->path) ||
	    reply->arguments.length > sizeof(answer->words))
		return -ENAMETOOLONG;
	if (reply->arguments.length > 0 && reply->arguments.start[reply->arguments.length - 1] != 0)
		return -EIO;
	memcpy(answer->path, reply->path.start, reply->path.length);
	answer->path[reply->path.length] = 0;
	if (reply->arguments.length > 0)
		memcpy(answer->words, reply->arguments.start, reply->arguments.length);
	answer->length = reply->arguments.length;
	return 0;
}

/* The path of the kernel's working directory is put before a relative one. 0 or -errno. */
static int make_whole(const char *path, char whole[PROGRAM_PATH_BYTES])
{
	int length = path[0] == '/' ? 0 : sys_working_folder(whole, PROGRAM_PATH_BYTES - 1);

	if (length < 0)
		return length;
	if (path[0] != '/')
		whole[length++] = '/';
	if ((size_t)length + strlen(path) >= PROGRAM_PATH_BYTES)
		return -ENAMETOOLONG;
	strcpy(whole + length, path);
	return 0;
}

int replaced_ask(const char *path, struct replaced *answer)
{
	struct wire_program message = { .path = { .start = answer->path } };
	int status = make_whole(path, answer->path);

	answer->length = 0;
	if (status < 0)
		return status;
	/* The kernel says what is wrong with it. */
	if (!program_exists(answer->path) || config_skips(program_name(answer->path)))
		return 0;
	message.path.length = (uint32_t)strlen(answer->path);
	do {
		const struct ask *question = ASK_TAKE(program, &message, take, answer);

		status = link_owns() ? ask_patiently(question, -1) : ask_apart(question);
	} while (status == -EINTR);
	return status;
}

size_t replaced_count(const struct replaced *answer)
{
	size_t count = 0;

	for (size_t at = 0; at < answer->length; at += strlen(answer->words + at) + 1)
		count++;
	return count;
}

void replaced_arguments(const struct replaced *answer, char *const argv[], char **into)
{
	size_t first = answer->length > 0 && argv[0] ? 1 : 0;

	for (size_t at = 0; at < answer->length; at += strlen(answer->words + at) + 1)
		*into++ = writable(answer->words + at);
	for (size_t i = first; argv[i]; i++)
		*into++ = argv[i];
	*into = NULL;
}
