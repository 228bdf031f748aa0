/*
 * What apps of this folder call and musl before 1.2.4 does not have; included first where they are compiled
 * for it (tests/support/layer_app.ts).
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/stat.h>
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <netdb.h>
#include <spawn.h>
#include <sys/uio.h>
#include <unistd.h>

/* Null where neither libc nor the layer has it. */
#define WEAK __attribute__((weak))
struct dirent;
struct __res_state;
WEAK int statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *into);
WEAK void closefrom(int first);
WEAK int close_range(unsigned int first, unsigned int last, int flags);
WEAK int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
WEAK ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
WEAK ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags);
WEAK int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags);
WEAK char *canonicalize_file_name(const char *path);
WEAK int __gethostname_chk(char *into, size_t room, size_t size);
WEAK int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

#ifndef NETDB_INTERNAL
#define NETDB_INTERNAL (-1)
#endif

#define ERRNOS(X) \
	X(E2BIG) \
	X(EACCES) \
	X(EADDRINUSE) \
	X(EADDRNOTAVAIL) \
	X(EADV) \
	X(EAFNOSUPPORT) \
	X(EAGAIN) \
	X(EALREADY) \
	X(EBADE) \
	X(EBADF) \
	X(EBADFD) \
	X(EBADMSG) \
	X(EBADR) \
	X(EBADRQC) \
	X(EBADSLT) \
	X(EBFONT) \
	X(EBUSY) \
	X(ECANCELED) \
	X(ECHILD) \
	X(ECHRNG) \
	X(ECOMM) \
	X(ECONNABORTED) \
	X(ECONNREFUSED) \
	X(ECONNRESET) \
	X(EDEADLK) \
	X(EDESTADDRREQ) \
	X(EDOM) \
	X(EDQUOT) \
	X(EEXIST) \
	X(EFAULT) \
	X(EFBIG) \
	X(EHOSTDOWN) \
	X(EHOSTUNREACH) \
	X(EIDRM) \
	X(EILSEQ) \
	X(EINPROGRESS) \
	X(EINTR) \
	X(EINVAL) \
	X(EIO) \
	X(EISCONN) \
	X(EISDIR) \
	X(EISNAM) \
	X(EKEYEXPIRED) \
	X(EKEYREJECTED) \
	X(EKEYREVOKED) \
	X(EL2HLT) \
	X(EL2NSYNC) \
	X(EL3HLT) \
	X(EL3RST) \
	X(ELIBACC) \
	X(ELIBBAD) \
	X(ELIBEXEC) \
	X(ELIBMAX) \
	X(ELIBSCN) \
	X(ELNRNG) \
	X(ELOOP) \
	X(EMEDIUMTYPE) \
	X(EMFILE) \
	X(EMLINK) \
	X(EMSGSIZE) \
	X(EMULTIHOP) \
	X(ENAMETOOLONG) \
	X(ENAVAIL) \
	X(ENETDOWN) \
	X(ENETRESET) \
	X(ENETUNREACH) \
	X(ENFILE) \
	X(ENOANO) \
	X(ENOBUFS) \
	X(ENOCSI) \
	X(ENODATA) \
	X(ENODEV) \
	X(ENOENT) \
	X(ENOEXEC) \
	X(ENOKEY) \
	X(ENOLCK) \
	X(ENOLINK) \
	X(ENOMEDIUM) \
	X(ENOMEM) \
	X(ENOMSG) \
	X(ENONET) \
	X(ENOPKG) \
	X(ENOPROTOOPT) \
	X(ENOSPC) \
	X(ENOSR) \
	X(ENOSTR) \
	X(ENOSYS) \
	X(ENOTBLK) \
	X(ENOTCONN) \
	X(ENOTDIR) \
	X(ENOTEMPTY) \
	X(ENOTNAM) \
	X(ENOTRECOVERABLE) \
	X(ENOTSOCK) \
	X(ENOTTY) \
	X(ENOTUNIQ) \
	X(ENXIO) \
	X(EOPNOTSUPP) \
	X(EOVERFLOW) \
	X(EOWNERDEAD) \
	X(EPERM) \
	X(EPFNOSUPPORT) \
	X(EPIPE) \
	X(EPROTO) \
	X(EPROTONOSUPPORT) \
	X(EPROTOTYPE) \
	X(ERANGE) \
	X(EREMCHG) \
	X(EREMOTE) \
	X(EREMOTEIO) \
	X(ERESTART) \
	X(ERFKILL) \
	X(EROFS) \
	X(ESHUTDOWN) \
	X(ESOCKTNOSUPPORT) \
	X(ESPIPE) \
	X(ESRCH) \
	X(ESRMNT) \
	X(ESTALE) \
	X(ESTRPIPE) \
	X(ETIME) \
	X(ETIMEDOUT) \
	X(ETOOMANYREFS) \
	X(ETXTBSY) \
	X(EUCLEAN) \
	X(EUNATCH) \
	X(EUSERS) \
	X(EXDEV) \
	X(EXFULL)

__attribute__((unused)) static const char *strerrorname_np(int number)
{
#define NAME(name) \
	case name: \
		return #name;
	switch (number) {
		ERRNOS(NAME)
	}
	return NULL;
}
