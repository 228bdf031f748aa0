/*
 * sendfile from or to an open file of the target, which the kernel cannot do: made from the hooked reads and
 * writes, each of which may block and lets signal handlers run.
 */
#include <unistd.h>

#include "../../hooks.h"
#include "../../sys/sys.h"
#include "../edge_file.h"
#include "../hooks_sockets_outgoing.h"

#define SEND_STEP (256u * 1024u)

/* The app's position or the one it keeps itself; NULL = the former. */
static ssize_t take(int from, void *bytes, size_t count, const off_t *offset)
{
	return offset ? layer_pread(from, bytes, count, *offset) : layer_read(from, bytes, count);
}

/* What was taken and could not be given. */
static void give_back(int from, ssize_t count, const off_t *offset)
{
	if (!offset && count > 0)
		layer_lseek(from, -count, SEEK_CUR);
}

ssize_t layer_sendfile(int to, int from, off_t *offset, size_t count)
{
	size_t done = 0;
	int saved = errno, failed = 0;
	char *bytes;

	if (!edge_is_file(from) && !edge_is_file(to))
		return outgoing_told(to, next_sendfile(to, from, offset, count));
	bytes = sys_map(SEND_STEP, false);
	if (!bytes)
		failed = ENOMEM;
	while (done < count && failed == 0) {
		size_t part = count - done < SEND_STEP ? count - done : SEND_STEP;
		ssize_t got = take(from, bytes, part, offset), sent;

		if (got <= 0) {
			failed = got < 0 ? errno : 0;
			break;
		}
		sent = layer_write(to, bytes, (size_t)got);
		failed = sent < 0 ? errno : 0;
		sent = sent < 0 ? 0 : sent;
		give_back(from, got - sent, offset);
		done += (size_t)sent;
		if (offset)
			*offset += sent;
		if (sent < got)
			break;
	}
	if (bytes)
		sys_unmap(bytes, SEND_STEP);
	errno = done > 0 || failed == 0 ? saved : failed;
	return done > 0 || failed == 0 ? (ssize_t)done : -1;
}
