/*
 * A second door in small for files: opens PATH as the layer would, gives the descriptor to a program that has
 * no layer, takes it back by pidfd_getfd(2) as a supervisor of system calls would, and runs the operations of
 * an open file on that copy. Built with layer/ops, link and sys, without layer/preload. Each operation's
 * verdict is a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../layer/link/config.h"
#include "../../layer/link/link.h"
#include "../../layer/link/way.h"
#include "../../layer/ops/files/control.h"
#include "../../layer/ops/files/open.h"
#include "../../layer/ops/files/read.h"
#include "../../layer/ops/files/stat.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static struct verdict say(const char *what, struct verdict verdict)
{
	static const char *const kinds[] = { "libc", "value", "error", "descriptor" };

	if (verdict.kind == VERDICT_DESCRIPTOR)
		printf("%s descriptor\n", what);
	else
		printf("%s %s %ld\n", what, kinds[verdict.kind], verdict.value);
	return verdict;
}

/* One message with a descriptor, if `fd` is not NULL. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message_of(struct iovec *byte, union control *control)
{
	return (struct msghdr){
		.msg_iov = byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(*control),
	};
}

static int give(int socket, int fd)
{
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	union control control = { 0 };
	struct msghdr message = message_of(&byte, &control);

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int get(int socket)
{
	char one;
	struct iovec byte = { .iov_base = &one, .iov_len = 1 };
	union control control = { 0 };
	struct msghdr message = message_of(&byte, &control);
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1 && control.head.cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

/* The program: says which number it has, and what the kernel itself reads there, which is nothing. */
static int program(int socket)
{
	int fd = get(socket);
	char byte;

	if (write(socket, &fd, sizeof(fd)) != sizeof(fd) || read(socket, &byte, 1) != 1)
		return 1;
	printf("program %s\n", read(fd, &byte, 1) < 0 && errno == EINVAL ? "EINVAL" : "read");
	return fflush(stdout);
}

static void run(struct fds_handle *open)
{
	char text[7] = "";
	struct stat status;

	say("pwrite", file_pwrite(open, "target", 6, 0));
	say("read", file_read(open, text, 6));
	printf("text %s\n", text);
	say("lseek", file_lseek(open, -4, SEEK_END));
	say("flock", file_lock());
	printf("flags %s\n", (file_fcntl(open, F_GETFL, 0).value & O_ACCMODE) == O_RDWR ? "O_RDWR" : "others");
	say("fstat", stat_open_as(open, &status));
	printf("size %ld\n", (long)status.st_size);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct files_call call;
	struct fds_handle open;
	struct verdict opened;
	int ends[2], theirs, status, pidfd;
	pid_t pid;

	if (argc != 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return 2;
	pid = fork();
	if (pid == 0) {
		/* The program ends when the supervisor does. */
		close(ends[0]);
		_exit(program(ends[1]));
	}
	if (!config_read() || !link_start())
		return 2;
	way_open(config_socket());
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (!files_prepare(&call, AT_FDCWD, argv[1]))
		return 2;
	opened = say("open", open_path(&call, O_RDWR, 0));
	if (opened.kind != VERDICT_DESCRIPTOR || give(ends[0], (int)opened.value) < 0)
		return 1;
	/* It is the program's now. */
	close((int)opened.value);
	if (read(ends[0], &theirs, sizeof(theirs)) != sizeof(theirs))
		return 1;
	if (!fds_find_object((int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0), &open))
		return 1;
	run(&open);
	if (write(ends[0], "", 1) != 1 || waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
