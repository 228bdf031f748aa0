/* The hooks of the calls that change one file and that Linux alone has. See hooks_files_change.c. */
#include "../hooks.h"
#include "../ops/files/change.h"
#include "edge_file.h"
#include "edge_path.h"

int layer_fallocate(int fd, int mode, off_t offset, off_t length)
{
	return EDGE_OPEN(fd, change_allocate_of(&open, mode, offset, length),
		       next_fallocate(fd, mode, offset, length));
}

/* posix_fallocate(3) returns the error and leaves errno alone. */
int layer_posix_fallocate(int fd, off_t offset, off_t length)
{
	struct fds_handle open;
	struct verdict verdict;
	int saved;

	if (!edge_seems_any(fd) || !guard_enter(&saved))
		return next_posix_fallocate(fd, offset, length);
	verdict = fds_find(fd, &open) ? change_allocate_of(&open, 0, offset, length) : verdict_libc();
	guard_leave(saved, 0);
	if (verdict.kind == VERDICT_LIBC)
		return next_posix_fallocate(fd, offset, length);
	return verdict.kind == VERDICT_ERROR ? (int)verdict.value : 0;
}
