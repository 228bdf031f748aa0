/* limits.h of what Linux's statfs(2) says. */
#include <string.h>
#include <sys/statfs.h>

#include "../../ops/files/stat.h"
#include "limits.h"

/* statvfs(3) returns the mount's flags without the one by which statfs(2) marks them as valid. */
#define ST_VALID 0x20

struct verdict limits_as_statvfs(struct files_call *call, struct statvfs *into)
{
	struct statfs from;
	struct verdict verdict = stat_file_system(call, &from);

	if (verdict.kind != VERDICT_VALUE)
		return verdict;
	memset(into, 0, sizeof(*into));
	into->f_bsize = (unsigned long)from.f_bsize;
	into->f_frsize = (unsigned long)(from.f_frsize ? from.f_frsize : from.f_bsize);
	into->f_blocks = from.f_blocks;
	into->f_bfree = from.f_bfree;
	into->f_bavail = from.f_bavail;
	into->f_files = from.f_files;
	into->f_ffree = from.f_ffree;
	into->f_favail = from.f_ffree;
	memcpy(&into->f_fsid, &from.f_fsid, sizeof(into->f_fsid));
	into->f_flag = (unsigned long)from.f_flags & ~(unsigned long)ST_VALID;
	into->f_namemax = (unsigned long)from.f_namelen;
	return verdict;
}
