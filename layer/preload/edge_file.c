/* What the edges of several calls ask of a descriptor. See edge_file.h. */
#include "../ops/files/itself.h"
#include "edge_file.h"

bool edge_is_file(int fd)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, verdict_result(true), false);
}

bool edge_no_socket(int fd)
{
	struct fds_handle open;

	return EDGE_FILE(open, fd, file_no_socket(), 0) < 0;
}
