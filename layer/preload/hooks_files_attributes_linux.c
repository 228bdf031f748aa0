/* The hooks of extended attributes. What they decide is in ops/files/attributes.c. */
#include "../hooks.h"
#include "../ops/files/attributes.h"
#include "edge_file.h"
#include "edge_path.h"

ssize_t layer_getxattr(const char *path, const char *name, void *value, size_t size)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, 0), next_getxattr(call.path, name, value, size));
}

ssize_t layer_lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, AT_SYMLINK_NOFOLLOW),
			 next_lgetxattr(call.path, name, value, size));
}

ssize_t layer_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	return EDGE_OPEN(fd, attributes_open(&open), next_fgetxattr(fd, name, value, size));
}

int layer_setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, 0), next_setxattr(call.path, name, value, size, flags));
}

int layer_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, AT_SYMLINK_NOFOLLOW),
			 next_lsetxattr(call.path, name, value, size, flags));
}

int layer_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	return EDGE_OPEN(fd, attributes_open(&open), next_fsetxattr(fd, name, value, size, flags));
}

ssize_t layer_listxattr(const char *path, char *list, size_t size)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, 0), next_listxattr(call.path, list, size));
}

ssize_t layer_llistxattr(const char *path, char *list, size_t size)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, AT_SYMLINK_NOFOLLOW), next_llistxattr(call.path, list, size));
}

ssize_t layer_flistxattr(int fd, char *list, size_t size)
{
	return EDGE_OPEN(fd, attributes_open(&open), next_flistxattr(fd, list, size));
}

int layer_removexattr(const char *path, const char *name)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, 0), next_removexattr(call.path, name));
}

int layer_lremovexattr(const char *path, const char *name)
{
	struct files_call call;

	return EDGE_PATH(path, attributes_path(&call, AT_SYMLINK_NOFOLLOW), next_lremovexattr(call.path, name));
}

int layer_fremovexattr(int fd, const char *name)
{
	return EDGE_OPEN(fd, attributes_open(&open), next_fremovexattr(fd, name));
}
