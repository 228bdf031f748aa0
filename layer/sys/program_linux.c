/*
 * program.h on Linux: reads just enough of a file to know whether ld.so(8) will load what LD_PRELOAD names.
 * Raw system calls and the caller's memory only, since exec in a vfork child comes here too. Facts: elf(5),
 * execve(2), capabilities(7).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program.h"
#include "sys.h"
#include "raw.h"

/*
 * What the kernel looks at of a script's first line (BINPRM_BUF_SIZE), and how deep scripts may run scripts.
 */
#define LINE_BYTES 256
#define SCRIPT_DEPTH 4
/* More program headers than any linker makes. */
#define HEADERS 64

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#endif

char **program_environment(void)
{
	return environ;
}

/* program_invocation_name(3) */
const char *program_called_as(void)
{
	return program_invocation_name;
}

bool program_exists(const char *path)
{
	struct stat status;

	return RAW(SYS_newfstatat, AT_FDCWD, path, &status, 0) == 0 && S_ISREG(status.st_mode) &&
	       RAW(SYS_faccessat, AT_FDCWD, path, X_OK) == 0;
}

static int open_program(const char *path)
{
	return (int)RAW(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
}

/* The interpreter that the `got` bytes of a first line name; its length, 0 when there is none. */
static size_t interpreter(const char *line, size_t got, const char **start)
{
	size_t at = 2, end;

	if (got < 3 || line[0] != '#' || line[1] != '!')
		return 0;
	while (at < got && (line[at] == ' ' || line[at] == '\t'))
		at++;
	for (end = at; end < got && !strchr(" \t\n", line[end]);)
		end++;
	*start = line + at;
	return end - at;
}

void program_follow(char path[PROGRAM_PATH_BYTES])
{
	char line[LINE_BYTES];
	const char *start;
	size_t length;
	long got;
	int fd;

	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		fd = open_program(path);
		if (fd < 0)
			return;
		got = RAW(SYS_pread64, fd, line, sizeof(line), 0);
		sys_close(fd);
		length = got < 0 ? 0 : interpreter(line, (size_t)got, &start);
		if (length == 0)
			return;
		memcpy(path, start, length);
		path[length] = 0;
	}
}

/* ld.so(8) puts a folder's name in its place; musl takes it as it is, and finds its own layer there. */
static bool leads_musl(const char *preload)
{
	return strstr(preload, "/$LIB/") != NULL;
}

static const char *elf_obstacle(int fd, const char *path, const char *preload)
{
	char loader[LINE_BYTES] = "";
	Elf64_Phdr headers[HEADERS];
	Elf64_Ehdr head;
	long size;

	if (RAW(SYS_pread64, fd, &head, sizeof(head), 0) != sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != MACHINE)
		return "it is built for another machine";
	if (head.e_phentsize != sizeof(headers[0]) || head.e_phnum > HEADERS)
		return NULL;
	size = (long)head.e_phnum * (long)sizeof(headers[0]);
	if (RAW(SYS_pread64, fd, headers, size, head.e_phoff) != size)
		return NULL;
	for (int i = 0; i < head.e_phnum; i++) {
		if (headers[i].p_type != PT_INTERP)
			continue;
		RAW(SYS_pread64, fd, loader, sizeof(loader) - 1, headers[i].p_offset);
		return strstr(loader, "ld-musl") && !leads_musl(preload) ? "it uses the C library musl" : NULL;
	}
	/*
	 * The dynamic linker itself, called by name, loads what LD_PRELOAD names into the program that it
	 * runs.
	 */
	return strncmp(program_name(path), "ld-", 3) == 0 ? NULL : "it is a static executable";
}

/*
 * Will the kernel start it in secure-execution mode? A set-user-ID program of the same user is none; root
 * gains nothing by file capabilities; nothing counts where it may not be gained (no_new_privs, a file system
 * mounted nosuid).
 */
static const char *secure_obstacle(int fd)
{
	struct stat status;
	struct statfs system;
	bool set_id, capable;

	if (RAW(SYS_fstat, fd, &status) < 0)
		return NULL;
	set_id = ((status.st_mode & S_ISUID) && status.st_uid != (uid_t)RAW(SYS_getuid)) ||
		 ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != (gid_t)RAW(SYS_getgid));
	capable = RAW(SYS_getuid) != 0 && RAW(SYS_fgetxattr, fd, "security.capability", NULL, 0) > 0;
	if (!set_id && !capable)
		return NULL;
	if (RAW(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return NULL;
	if (RAW(SYS_fstatfs, fd, &system) == 0 && ((unsigned long)system.f_flags & ST_NOSUID))
		return NULL;
	return set_id ? "it is set-user-ID" : "it has file capabilities";
}

const char *program_obstacle(const char *path, const char *preload)
{
	int fd = open_program(path);
	const char *obstacle;

	if (fd < 0)
		return NULL;
	obstacle = elf_obstacle(fd, path, preload);
	if (!obstacle)
		obstacle = secure_obstacle(fd);
	sys_close(fd);
	return obstacle;
}

const char *program_bare(const char *library)
{
	struct statfs system;

	if (!library[0])
		return NULL;
	if (RAW(SYS_faccessat, AT_FDCWD, library, R_OK) < 0)
		return "it cannot read mirrord's library (another user, root directory or mount namespace)";
	if (RAW(SYS_statfs, library, &system) == 0 && ((unsigned long)system.f_flags & ST_NOEXEC))
		return "mirrord's library lies where nothing may be run (noexec)";
	return NULL;
}
