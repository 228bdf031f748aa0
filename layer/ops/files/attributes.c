/*
 * Extended attributes are not transferred: the target's files have none, like files of a file system
 * without them.
 */
#include <errno.h>
#include <unistd.h>

#include "attributes.h"
#include "stat.h"

struct verdict attributes_path(struct files_call *call, int flags)
{
	struct verdict there = stat_access(call, F_OK, flags);

	return there.kind == VERDICT_VALUE ? verdict_result(-EOPNOTSUPP) : there;
}

struct verdict attributes_open(const struct fds_handle *open)
{
	if (open->note.state != FDS_FILE && open->note.state != FDS_WHOLE)
		return verdict_libc();
	return verdict_result(-EOPNOTSUPP);
}
