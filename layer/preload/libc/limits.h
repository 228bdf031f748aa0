/* What the target's file system says, in libc's own form. See limits.c. */
#ifndef LAYER_LIMITS_H
#define LAYER_LIMITS_H

#include <sys/statvfs.h>

#include "../../ops/files/files.h"

struct verdict limits_as_statvfs(struct files_call *call, struct statvfs *into);

#endif
