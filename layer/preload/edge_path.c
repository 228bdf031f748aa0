/* What calls of libc's own level ask before they are made of other hooked ones. See edge_path.h. */
#include "edge_path.h"

bool edge_asked(struct files_call *call, int dirfd, const char *path)
{
	int saved;
	bool asked;

	if (!files_prepare(call, dirfd, path) || !guard_enter(&saved))
		return false;
	asked = files_asked(call);
	guard_leave(saved, 0);
	return asked;
}

__attribute__((noinline)) bool edge_may_be(int dirfd, const char *path)
{
	struct files_call call;

	return edge_asked(&call, dirfd, path);
}
