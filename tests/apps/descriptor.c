/*
 * Asks a descriptor about itself by every call that takes one, and prints what came of each: result and
 * errno. Arguments: the path, and how it is opened: r, w, rw, a, d; a third one: what comes of calls that no
 * library makes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

static const char *path;
static int flags;
static char buffer[1 << 16];
static long value;
static char *volatile nowhere;

static int fresh(void)
{
	int fd = open(path, flags, 0644);

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* Each by a descriptor of its own, `fd`; a call that gives -1 has its errno printed. */
#define ASK(name, ...) \
	do { \
		int fd = fresh(); \
		long result; \
		errno = 0; \
		value = 0; \
		result = (long)(__VA_ARGS__); \
		if (result == -1) \
			printf("%s: %s\n", name, strerrorname_np(errno)); \
		else \
			printf("%s: %ld %ld\n", name, result, value); \
		close(fd); \
	} while (0)

static long flags_after(int fd, int set)
{
	if (fcntl(fd, F_SETFL, set) < 0)
		return -1;
	return fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_NOATIME | O_DIRECTORY);
}

/* What an exec'd program sees of it. */
static long flags_of_child(int fd, int set)
{
	char number[16], *argv[] = { "descriptor", "-", number, NULL };
	pid_t child;
	int code;

	fcntl(fd, F_SETFL, set);
	snprintf(number, sizeof(number), "%d", fd);
	child = fork();
	if (child == 0)
		execv("/proc/self/exe", argv), _exit(99);
	waitpid(child, &code, 0);
	return code >> 8;
}

static long polled(int fd, int events)
{
	struct pollfd one = { fd, (short)events, 0 };
	long result = poll(&one, 1, 1000);

	value = one.revents;
	return result;
}

static long selected(int fd)
{
	struct timeval limit = { 1, 0 };
	fd_set reads, writes, others;
	long result;

	FD_ZERO(&reads);
	FD_SET(fd, &reads);
	writes = others = reads;
	result = select(fd + 1, &reads, &writes, &others, &limit);
	value = FD_ISSET(fd, &reads) + 2 * FD_ISSET(fd, &writes);
	return result < 0 ? result : 0; /* whether a file has an exceptional condition, kernels differ in */
}

static long queued(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd, &event);
}

static long number(int fd, unsigned long request)
{
	int into = 0;
	long result = ioctl(fd, request, &into);

	value = into;
	return result;
}

static long set_by(int fd, unsigned long request, int to)
{
	long result = ioctl(fd, request, &to);

	value = fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ASYNC);
	return result;
}

static long sent(int fd, int kind)
{
	struct iovec part = { buffer, 4 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct mmsghdr many = { .msg_hdr = message };

	switch (kind) {
	case 0:
		return sendmsg(fd, &message, 0);
	case 1:
		return recvmsg(fd, &message, MSG_DONTWAIT);
	case 2:
		return sendmmsg(fd, &many, 1, 0);
	default:
		return recvmmsg(fd, &many, 1, MSG_DONTWAIT, NULL);
	}
}

static long named(int fd, int kind)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage into;
	socklen_t length = sizeof(into);

	switch (kind) {
	case 0:
		return getsockname(fd, (struct sockaddr *)&into, &length);
	case 1:
		return getpeername(fd, (struct sockaddr *)&into, &length);
	case 2:
		return bind(fd, (struct sockaddr *)&to, sizeof(to));
	case 3:
		return connect(fd, (struct sockaddr *)&to, sizeof(to));
	case 4:
		return accept(fd, (struct sockaddr *)&into, &length);
	case 5:
		return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	case 6:
		return sendto(fd, "abc", 3, 0, (struct sockaddr *)&to, sizeof(to));
	default:
		return recvfrom(fd, buffer, 4, MSG_DONTWAIT, (struct sockaddr *)&into, &length);
	}
}

static long option(int fd, int level, int name)
{
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length);
}

static long sums(long count)
{
	for (long i = 0; i < count; i++)
		value += (unsigned char)buffer[i];
	return count;
}

static void about_flags(void)
{
	ASK("F_GETFL", fcntl(fd, F_GETFL) & ~O_CLOEXEC);
	ASK("F_SETFL O_NONBLOCK", flags_after(fd, O_NONBLOCK));
	ASK("F_SETFL O_APPEND", flags_after(fd, O_APPEND));
	ASK("F_SETFL 0", flags_after(fd, 0));
	ASK("F_SETFL O_NONBLOCK on a copy", (flags_after(dup(fd), O_NONBLOCK), fcntl(fd, F_GETFL) & O_NONBLOCK));
	ASK("F_SETFL O_NONBLOCK, seen by a child", flags_of_child(fd, O_NONBLOCK));
	ASK("F_GETFD", fcntl(fd, F_GETFD));
	ASK("F_SETFD", fcntl(fd, F_SETFD, FD_CLOEXEC) + fcntl(fd, F_GETFD));
	ASK("F_DUPFD", fcntl(fd, F_DUPFD, 100) >= 100);
	ASK("F_DUPFD_CLOEXEC", fcntl(fcntl(fd, F_DUPFD_CLOEXEC, 100), F_GETFD));
	ASK("F_GETOWN", fcntl(fd, F_GETOWN));
	ASK("F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
	ASK("F_SETPIPE_SZ", fcntl(fd, F_SETPIPE_SZ, 4096));
	ASK("F_GETLEASE", fcntl(fd, F_GETLEASE));
	ASK("fcntl of no command", fcntl(fd, 4711, 0));
}

static void about_ioctl(void)
{
	ASK("FIONREAD", number(fd, FIONREAD));
	ASK("FIONREAD after a read", (read(fd, buffer, 10), number(fd, FIONREAD)));
	ASK("FIOCLEX", ioctl(fd, FIOCLEX) + fcntl(fd, F_GETFD));
	ASK("FIONCLEX", ioctl(fd, FIONCLEX) + fcntl(fd, F_GETFD));
	ASK("FIONBIO 1", set_by(fd, FIONBIO, 1));
	ASK("FIONBIO 0", set_by(fd, FIONBIO, 0));
	ASK("FIOQSIZE", (ioctl(fd, FIOQSIZE, buffer), *(long *)buffer > 0));
	ASK("FIGETBSZ", number(fd, FIGETBSZ) == 0 ? 0 : -1);
	ASK("TCGETS", ioctl(fd, TCGETS, buffer));
	ASK("TIOCGWINSZ", ioctl(fd, TIOCGWINSZ, buffer));
	ASK("TIOCGPGRP", number(fd, TIOCGPGRP));
	ASK("TIOCOUTQ", number(fd, TIOCOUTQ));
	ASK("SIOCATMARK", number(fd, 0x8905));
	ASK("SIOCGIFCONF", ioctl(fd, 0x8912, buffer));
	ASK("SIOCINQ", number(fd, 0x541b));
	ASK("ioctl of no request", ioctl(fd, 0x12345678, buffer));
	ASK("isatty", isatty(fd) ? 1 : -1);
	ASK("tcgetattr", tcgetattr(fd, (struct termios *)buffer));
	ASK("tcflush", tcflush(fd, TCIFLUSH));
	ASK("tcgetpgrp", tcgetpgrp(fd));
	ASK("ttyname", ttyname(fd) ? 1 : -1);
	ASK("ttyname_r", ttyname_r(fd, buffer, 100));
}

static void about_sockets(void)
{
	ASK("getsockname", named(fd, 0));
	ASK("getpeername", named(fd, 1));
	ASK("bind", named(fd, 2));
	ASK("connect", named(fd, 3));
	ASK("accept", named(fd, 4));
	ASK("accept4", named(fd, 5));
	ASK("sendto", named(fd, 6));
	ASK("recvfrom", named(fd, 7));
	ASK("listen", listen(fd, 5));
	ASK("shutdown", shutdown(fd, SHUT_RDWR));
	ASK("SO_TYPE", option(fd, SOL_SOCKET, SO_TYPE));
	ASK("SO_ERROR", option(fd, SOL_SOCKET, SO_ERROR));
	ASK("SO_DOMAIN", option(fd, SOL_SOCKET, SO_DOMAIN));
	ASK("SO_PEERCRED", option(fd, SOL_SOCKET, SO_PEERCRED));
	ASK("setsockopt", setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, 4));
	ASK("send", send(fd, "abc", 3, MSG_NOSIGNAL));
	ASK("recv", recv(fd, buffer, 4, MSG_DONTWAIT));
	ASK("sendmsg", sent(fd, 0));
	ASK("recvmsg", sent(fd, 1));
	ASK("sendmmsg", sent(fd, 2));
	ASK("recvmmsg", sent(fd, 3));
}

static void about_readiness(void)
{
	ASK("poll", polled(fd, POLLIN | POLLOUT | POLLPRI));
	ASK("poll in", polled(fd, POLLIN));
	ASK("poll out", polled(fd, POLLOUT | POLLWRNORM));
	ASK("select", selected(fd));
	ASK("epoll_ctl", queued(fd));
	ASK("epoll_wait", epoll_wait(fd, (struct epoll_event *)buffer, 1, 0));
	ASK("timerfd_gettime", timerfd_gettime(fd, (struct itimerspec *)buffer));
	ASK("inotify_add_watch", inotify_add_watch(fd, "/", IN_MODIFY));
}

static void about_place(void)
{
	ASK("lseek end", lseek(fd, 0, SEEK_END));
	ASK("lseek cur", lseek(fd, 5, SEEK_CUR));
	ASK("lseek before", lseek(fd, -5, SEEK_SET));
	ASK("lseek whence", lseek(fd, 0, 4711));
	ASK("lseek data", lseek(fd, 0, SEEK_DATA));
	ASK("lseek hole", lseek(fd, 0, SEEK_HOLE));
	ASK("posix_fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	ASK("posix_fadvise of none", posix_fadvise(fd, 0, 0, 4711));
	ASK("readahead", readahead(fd, 0, 4096));
	ASK("sync_file_range", sync_file_range(fd, 0, 100, SYNC_FILE_RANGE_WRITE));
	ASK("syncfs", syncfs(fd));
	ASK("fsync", fsync(fd));
	ASK("fdatasync", fdatasync(fd));
	ASK("fchdir", fchdir(fd));
	ASK("fdopendir", fdopendir(fd) ? 1 : -1);
	ASK("getdents64", getdents64(fd, buffer, sizeof(buffer)) < 0 ? -1 : 0);
	ASK("openat", openat(fd, "none", O_RDONLY));
	ASK("fstatat", fstatat(fd, "none", (struct stat *)buffer, 0));
	ASK("fstatfs", fstatfs(fd, (struct statfs *)buffer));
	ASK("fstatvfs", fstatvfs(fd, (struct statvfs *)buffer));
	ASK("_PC_NAME_MAX", fpathconf(fd, _PC_NAME_MAX));
	ASK("_PC_PATH_MAX", fpathconf(fd, _PC_PATH_MAX));
	ASK("_PC_PIPE_BUF", fpathconf(fd, _PC_PIPE_BUF));
	ASK("_PC_LINK_MAX", fpathconf(fd, _PC_LINK_MAX) > 1);
	ASK("_PC_SYNC_IO", fpathconf(fd, _PC_SYNC_IO));
	ASK("fpathconf of none", fpathconf(fd, 4711));
	ASK("fgetxattr", fgetxattr(fd, "user.none", buffer, 10) < 0 ? 0 : 1);
	ASK("fexecve", fexecve(fd, (char *[]){ "x", NULL }, (char *[]){ NULL }));
}

static void about_content(void)
{
	ASK("read", sums(read(fd, buffer, 1000)));
	ASK("read nothing", read(fd, buffer, 0));
	ASK("read nowhere", read(fd, nowhere, 10) < 0 ? -1 : 0);
	ASK("pread", sums(pread(fd, buffer, 100, 50)));
	ASK("pread before", pread(fd, buffer, 100, -5));
	ASK("pread behind", pread(fd, buffer, 100, 1 << 30));
	ASK("preadv2 with a flag", preadv2(fd, &(struct iovec){ buffer, 10 }, 1, 0, 0x40000000));
	ASK("write", write(fd, "abc", 3));
	ASK("pwrite", pwrite(fd, "abc", 3, 7));
	ASK("write after O_APPEND", (fcntl(fd, F_SETFL, O_APPEND), write(fd, "abc", 3), lseek(fd, 0, SEEK_CUR)));
	ASK("write after O_APPEND is over",
	    (fcntl(fd, F_SETFL, O_APPEND), fcntl(fd, F_SETFL, 0), lseek(fd, 5, SEEK_SET), write(fd, "abc", 3),
	     lseek(fd, 0, SEEK_CUR)));
	ASK("ftruncate", ftruncate(fd, 100000));
	ASK("ftruncate before", ftruncate(fd, -1));
	ASK("posix_fallocate", posix_fallocate(fd, 0, 10));
	ASK("size", (fstat(fd, (struct stat *)buffer), ((struct stat *)buffer)->st_size));
	ASK("kind", (fstat(fd, (struct stat *)buffer), ((struct stat *)buffer)->st_mode));
	ASK("dup", sums(read(dup(fd), buffer, 10)));
	ASK("dup2", sums(read(dup2(fd, 300), buffer, 10)));
	ASK("dup3", sums(read(dup3(fd, 301, O_CLOEXEC), buffer, 10)));
	ASK("dup3 of itself", dup3(fd, fd, 0));
	ASK("splice from no pipe", splice(fd, NULL, fd, NULL, 10, 0) < 0 ? 0 : 1);
	ASK("tee", tee(fd, fd, 10, 0) < 0 ? 0 : 1);
	ASK("vmsplice", vmsplice(fd, &(struct iovec){ buffer, 10 }, 1, 0));
	ASK("eventfd_write", write(fd, "", 0));
	ASK("mmap", mmap(NULL, 10, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
	ASK("close twice", close(fd) + close(fd));
}

/* A system call that no library makes. */
static long past_every_hook(long number, long a, long b, long c)
{
	long result;
#if defined(__x86_64__)
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	result = x0;
#endif
	return result;
}

static void past_hooks(void)
{
	int fd = fresh(), child;
	long result = past_every_hook(SYS_read, fd, (long)buffer, 10);

	printf("read: %s\n", result < 0 ? strerrorname_np((int)-result) : "succeeded");
	result = past_every_hook(SYS_write, fd, (long)buffer, 10);
	printf("write: %s\n", result < 0 ? strerrorname_np((int)-result) : "succeeded");
	child = fork();
	if (child == 0)
		_exit(read(fd, buffer, 10) != 10);
	waitpid(child, &child, 0);
	printf("a child reads: %d\n", child);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-") == 0)
		return (fcntl(atoi(argv[2]), F_GETFL) & O_NONBLOCK) != 0;
	path = argv[1];
	flags = strcmp(argv[2], "r") == 0 ? O_RDONLY : strcmp(argv[2], "w") == 0 ? O_WRONLY :
		strcmp(argv[2], "a") == 0 ? O_RDWR | O_APPEND : strcmp(argv[2], "d") == 0 ? O_RDONLY | O_DIRECTORY : O_RDWR;
	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc > 3) {
		past_hooks();
		return 0;
	}
	about_flags();
	about_ioctl();
	about_sockets();
	about_readiness();
	about_place();
	about_content();
	return 0;
}
