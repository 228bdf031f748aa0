/*
 * errno_name(): the name of an errno, as glibc's strerrorname_np(3) gives it, also where libc has no such
 * call.
 */
#ifndef ERRNO_NAME_H
#define ERRNO_NAME_H

#include <errno.h>

#ifdef __linux__
#include <string.h>

#define errno_name strerrorname_np
#else
#define NAME(error) \
	case error: \
		return #error

static inline const char *errno_name(int error)
{
	switch (error) {
		NAME(EPERM);
		NAME(ENOENT);
		NAME(EINTR);
		NAME(EIO);
		NAME(EBADF);
		NAME(EAGAIN);
		NAME(ENOMEM);
		NAME(EACCES);
		NAME(EEXIST);
		NAME(EXDEV);
		NAME(ENOTDIR);
		NAME(EISDIR);
		NAME(EINVAL);
		NAME(ENOTTY);
		NAME(ENOTEMPTY);
		NAME(ELOOP);
		NAME(ENAMETOOLONG);
		NAME(ENOLCK);
		NAME(ENOSYS);
		NAME(ENOTSUP);
		NAME(EOPNOTSUPP);
		NAME(ENOTSOCK);
		NAME(EADDRINUSE);
		NAME(EADDRNOTAVAIL);
		NAME(ECONNREFUSED);
		NAME(ECONNRESET);
		NAME(EHOSTUNREACH);
		NAME(EINPROGRESS);
		NAME(EISCONN);
		NAME(ENOTCONN);
		NAME(ETIMEDOUT);
	default:
		return "unnamed";
	}
}
#endif

#endif
