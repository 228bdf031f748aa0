/*
 * sys_files.h on Darwin, which has no files in memory and no abstract names: a whole file is one without a
 * name in the user's temporary folder (confstr(3)), a hold is the connection to the session itself.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "calls_darwin.h"
#include "sys.h"
#include "sys_files.h"

#define NAME_BYTES 160

/* A name that nobody has, in the user's own temporary folder. False: no room. */
static bool name_temporary(char into[NAME_BYTES], const char *head)
{
	uint64_t random = sys_random();
	size_t length;

	if (head) {
		length = strlen(head);
		if (length + 24 > NAME_BYTES)
			return false;
		memcpy(into, head, length);
	} else {
		length = confstr(_CS_DARWIN_USER_TEMP_DIR, into, NAME_BYTES);
		if (length == 0 || length + 24 > NAME_BYTES) {
			memcpy(into, "/tmp/", sizeof("/tmp/"));
			length = sizeof("/tmp/");
		}
		length--;
	}
	memcpy(into + length, ".mirrord", 8);
	for (length += 8; random > 0 && length < NAME_BYTES - 1; random >>= 4)
		into[length++] = (char)('a' + (random & 15));
	into[length] = 0;
	return true;
}

int sys_memory_file(const char *name)
{
	char path[NAME_BYTES];

	(void)name;
	if (!name_temporary(path, NULL))
		return -ENAMETOOLONG;
	return (int)CALL(call_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

int sys_fill(int fd, const void *bytes, size_t length, uint64_t offset)
{
	const char *at = bytes;
	long written;

	while (length > 0) {
		written = CALL(call_pwrite(fd, at, length, (off_t)offset));
		if (written == -EINTR)
			continue;
		if (written <= 0)
			return written == 0 ? -ENOSPC : (int)written;
		at += written;
		offset += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

/* It loses its name here, once it is open for reading alone; what it looks like is the note's business. */
int sys_seal(int fd, bool cloexec, int flags, const struct sys_looks *looks)
{
	char path[PATH_MAX];
	int again, status = (int)CALL(call_fcntl(fd, F_GETPATH, path));

	(void)looks;
	if (status < 0)
		return status;
	again = (int)CALL(call_open(path, O_RDONLY | O_CLOEXEC | flags, 0));
	CALL(unlink(path));
	if (again < 0)
		return again;
	status = (int)CALL(dup2(again, fd));
	if (status >= 0 && cloexec)
		status = (int)CALL(call_fcntl(fd, F_SETFD, FD_CLOEXEC));
	sys_close(again);
	return status < 0 ? status : 0;
}

/* A read that no hook sees fails with EAGAIN: nothing ever comes from the session. */
int sys_hold(const char *path, const char *name, size_t name_length, bool cloexec, const void *bytes, size_t length)
{
	const struct timeval at_once = { .tv_usec = 1 };
	int high = sys_connect_unix(path), fd, status;

	(void)name;
	(void)name_length;
	if (high < 0)
		return high;
	status = sys_send_all(high, bytes, length);
	CALL(setsockopt(high, SOL_SOCKET, SO_RCVTIMEO, &at_once, sizeof(at_once)));
	fd = status < 0 ? status : sys_dup(high, cloexec);
	sys_close(high);
	return fd;
}

long sys_fcntl(int fd, int command, long argument)
{
	return CALL(call_fcntl(fd, command, argument));
}

long sys_ioctl(int fd, unsigned long request, void *argument)
{
	return CALL(ioctl(fd, request, argument));
}

void sys_descriptor_name(int fd, char *into)
{
	static const char folder[] = "/dev/fd/";
	char digits[12];
	size_t count = 0;

	memcpy(into, folder, sizeof(folder) - 1);
	into += sizeof(folder) - 1;
	do {
		digits[count++] = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd > 0);
	while (count > 0)
		*into++ = digits[--count];
	*into = 0;
}

long sys_read_file(const char *path, void *into, size_t size)
{
	int fd = (int)CALL(call_open(path, O_RDONLY | O_CLOEXEC, 0));
	size_t length = 0;
	long got = 0;

	if (fd < 0)
		return fd;
	while (length < size && (got = CALL(call_read(fd, (char *)into + length, size - length))) > 0)
		length += (size_t)got;
	sys_close(fd);
	if (got < 0)
		return got;
	return length < size ? (long)length : -EFBIG;
}

/* umask(2) can only be asked by changing it; another thread's file made just then gets no bits for others. */
uint32_t sys_umask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

int sys_dup(int fd, bool cloexec)
{
	return (int)CALL(call_fcntl(fd, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0));
}

int sys_descriptor_path(int fd, char *into, size_t size)
{
	char path[PATH_MAX];
	int status = (int)CALL(call_fcntl(fd, F_GETPATH, path));
	size_t length = status < 0 ? 0 : strnlen(path, sizeof(path));

	if (status < 0)
		return status;
	if (length > size)
		length = size;
	memcpy(into, path, length);
	return (int)length;
}

int sys_working_folder(char *into, size_t size)
{
	int saved = errno, status = getcwd(into, size) ? (int)strlen(into) : -errno;

	errno = saved;
	return status;
}

/* Moves a descriptor to a high number. */
static int to_high(int fd)
{
	int high = fd < 0 ? fd : sys_dup_high(fd);

	if (fd >= 0)
		sys_close(fd);
	return high;
}

int sys_open_folder(const char *path)
{
	return to_high((int)CALL(call_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)));
}

int sys_open_nowhere(const char *beside)
{
	const char *const heads[] = { beside, NULL };
	char path[NAME_BYTES];
	int status = -ENAMETOOLONG;

	for (int i = 0; i < 2 && status < 0; i++)
		if (name_temporary(path, heads[i]))
			status = (int)CALL(mkdir(path, 0700));
	if (status < 0)
		return status;
	status = sys_open_folder(path);
	CALL(rmdir(path));
	return status;
}

int sys_go_nowhere(const char *beside)
{
	int fd = sys_open_nowhere(beside), status;

	if (fd < 0)
		return fd;
	status = (int)CALL(fchdir(fd));
	sys_close(fd);
	return status;
}

bool sys_is_nowhere(void)
{
	char path[PATH_MAX];

	return sys_working_folder(path, sizeof(path)) == -ENOENT;
}

/* There is no more of them than a process may have (getdtablesize(2)). */
void sys_each_descriptor(void (*each)(int fd))
{
	const int most = 65536;
	int count = getdtablesize();

	for (int fd = 0; fd < count && fd < most; fd++)
		if (CALL(call_fcntl(fd, F_GETFD, 0)) >= 0)
			each(fd);
}

uint64_t sys_random(void)
{
	uint64_t value;

	arc4random_buf(&value, sizeof(value));
	return value;
}
