/*
 * Shims of what a process is made of: errno, signals, locks, threads, programs, and the names of programs and
 * hosts. errno is kept in Darwin's numbers; a glibc call that fails sets its own, which is taken over when
 * errno is looked at next.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "shims.h"

/* sys/errno.h of Darwin, by Linux's numbers from 35 on. */
static const uint8_t errnos[] = {
	[EAGAIN] = 35, [EDEADLK] = 11, [ENAMETOOLONG] = 63, [ENOLCK] = 77, [ENOSYS] = 78, [ENOTEMPTY] = 66, [ELOOP] = 62,
	[EOVERFLOW] = 84, [EILSEQ] = 92, [ENOTSOCK] = 38, [EDESTADDRREQ] = 39, [EMSGSIZE] = 40, [EPROTOTYPE] = 41,
	[ENOPROTOOPT] = 42, [EPROTONOSUPPORT] = 43, [EOPNOTSUPP] = 45, [EAFNOSUPPORT] = 47, [EADDRINUSE] = 48,
	[EADDRNOTAVAIL] = 49, [ENETDOWN] = 50, [ENETUNREACH] = 51, [ECONNABORTED] = 53, [ECONNRESET] = 54, [ENOBUFS] = 55,
	[EISCONN] = 56, [ENOTCONN] = 57, [ETIMEDOUT] = 60, [ECONNREFUSED] = 61, [EHOSTUNREACH] = 65, [EALREADY] = 37,
	[EINPROGRESS] = 36, [ESTALE] = 70, [EDQUOT] = 69,
};

int macho_errno(int error)
{
	if (error > 0 && (size_t)error < sizeof(errnos) && errnos[error])
		return errnos[error];
	return error >= 0 && error < 35 ? error : 5;
}

static int *shim_error(void)
{
	static __thread int kept;

	if (errno != 0) {
		kept = macho_errno(errno);
		errno = 0;
	}
	return &kept;
}

/* Signals that the tests use: Darwin's number, Linux's. Below 14 but for 7, 10 and 12 they are the same. */
static const int signals[][2] = { { 30, SIGUSR1 }, { 31, SIGUSR2 }, { 20, SIGCHLD }, { 19, SIGCONT }, { 17, SIGSTOP },
				  { 10, SIGBUS },  { 7, SIGTRAP },  { 12, SIGSYS },  { 16, SIGURG } };

static int native_signal(int number)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i][0] == number)
			return signals[i][1];
	return number;
}

static void native_set(uint32_t from, sigset_t *into)
{
	sigemptyset(into);
	for (int number = 1; number < 32; number++)
		if (from & (1u << (number - 1)))
			sigaddset(into, native_signal(number));
}

static uint32_t darwin_set(const sigset_t *from)
{
	uint32_t result = 0;

	for (int number = 1; number < 32; number++)
		if (sigismember(from, native_signal(number)) == 1)
			result |= 1u << (number - 1);
	return result;
}

static int shim_sigmask(int how, const uint32_t *set, uint32_t *old)
{
	sigset_t native, before;
	int status;

	if (set)
		native_set(*set, &native);
	status = pthread_sigmask(how - 1, set ? &native : NULL, &before);
	if (old)
		*old = darwin_set(&before);
	return macho_errno(status);
}

struct darwin_action {
	void (*handler)(int);
	uint32_t mask;
	int flags;
};

static int shim_sigaction(int number, const struct darwin_action *with, struct darwin_action *old)
{
	struct sigaction native = { 0 }, before;
	int status;

	if (with) {
		native.sa_handler = with->handler;
		native.sa_flags = with->flags & 2 ? SA_RESTART : 0;
		native_set(with->mask, &native.sa_mask);
	}
	status = sigaction(native_signal(number), with ? &native : NULL, &before);
	if (old && status == 0)
		*old = (struct darwin_action){ before.sa_handler, darwin_set(&before.sa_mask), before.sa_flags & SA_RESTART ? 2 : 0 };
	return status;
}

static int shim_sigaltstack(const void *with, void *old)
{
	struct {
		void *start;
		size_t size;
		int flags;
	} *into = old;
	stack_t native;

	if (with || sigaltstack(NULL, &native) < 0)
		return -1;
	into->start = native.ss_sp;
	into->size = native.ss_size;
	into->flags = native.ss_flags & SS_ONSTACK ? 1 : 4;
	return 0;
}

/* With ULF_NO_ERRNO the result is -errno. */
static int shim_ulock_wait(uint32_t operation, uint32_t *word, uint64_t value, uint32_t microseconds)
{
	struct timespec left = { microseconds / 1000000, microseconds % 1000000 * 1000 };

	(void)operation;
	if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, (uint32_t)value, microseconds ? &left : NULL, NULL, 0) == 0)
		return 0;
	return errno == EAGAIN ? 0 : -macho_errno(errno);
}

static int shim_ulock_wake(uint32_t operation, uint32_t *word, uint64_t value)
{
	(void)value;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, operation & 0x100 ? INT_MAX : 1, NULL, NULL, 0);
	return 0;
}

/* glibc has no such name for dlsym(3): it is a part of every program. */
static int shim_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	return pthread_atfork(before, parent, child);
}

static uint32_t shim_thread_number(pthread_t thread)
{
	(void)thread;
	return (uint32_t)syscall(SYS_gettid);
}

static void *shim_thread_of(uint32_t number)
{
	return syscall(SYS_tgkill, getpid(), number, 0) == 0 ? &errno : NULL;
}

static uint64_t shim_clock(int clock)
{
	struct timespec now;

	(void)clock;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int shim_getrlimit(int which, struct rlimit *into)
{
	return getrlimit(which == 8 ? RLIMIT_NOFILE : (unsigned int)which, into);
}

static size_t shim_confstr(int name, char *into, size_t size)
{
	(void)name;
	return (size_t)snprintf(into, size, "%s/", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp") + 1;
}

static int shim_program_path(int process, char *into, uint32_t size)
{
	(void)process;
	return snprintf(into, size, "%s", macho_program);
}

static const char *shim_program_name(void)
{
	const char *slash = strrchr(macho_program, '/');

	return slash ? slash + 1 : macho_program;
}

static char ***shim_environ(void)
{
	return &environ;
}

static int shim_uname(char *into)
{
	struct utsname native;
	const char *parts[] = { native.sysname, native.nodename, native.release, native.version, native.machine };

	if (uname(&native) < 0)
		return -1;
	for (int i = 0; i < 5; i++)
		snprintf(into + 256 * i, 256, "%s", parts[i]);
	return 0;
}

static void *shim_dlsym(void *handle, const char *name)
{
	(void)handle;
	return macho_symbol(name);
}

static int shim_dladdr(const void *address, Dl_info *into)
{
	*into = (Dl_info){ .dli_fname = macho_image_at(address) };
	return into->dli_fname != NULL;
}

/*
 * A program for macOS is run by the loader: MACHO_RUN, words. `argv` of `most` words gets those before its
 * own.
 */
static const char *run_by(const char *path, char *const argv[], char **into, size_t most)
{
	char *words = strdup(macho_run);
	unsigned char magic[4] = "";
	size_t count = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, magic, 4) != 4)
		magic[0] = 0;
	if (fd >= 0)
		close(fd);
	if (memcmp(magic, "\xcf\xfa\xed\xfe", 4) == 0) {
		for (char *word = strtok(words, " "); word && count < most - 2; word = strtok(NULL, " "))
			into[count++] = word;
		into[count++] = (char *)path;
		for (size_t i = 1; argv[0] && argv[i] && count < most - 1; i++)
			into[count++] = argv[i];
		path = into[0];
	} else {
		while (argv[count] && count < most - 1) {
			into[count] = argv[count];
			count++;
		}
	}
	into[count] = NULL;
	return path;
}

/* The loader's own variable goes on, whatever environment the child gets. */
static char **with_run(char *const envp[], char **into, size_t most)
{
	static char kept[1024];
	size_t count = 0;

	snprintf(kept, sizeof(kept), "MACHO_RUN=%s", macho_run);
	for (size_t i = 0; envp && envp[i] && count < most - 2; i++)
		if (strncmp(envp[i], "MACHO_RUN=", 10) != 0)
			into[count++] = envp[i];
	into[count++] = kept;
	into[count] = NULL;
	return into;
}

#define MOST 512

static int shim_execve(const char *path, char *const argv[], char *const envp[])
{
	char *words[MOST], *variables[MOST];
	const char *program = run_by(path, argv, words, MOST);

	return execve(program, words, with_run(envp, variables, MOST));
}

/* Both are pointers to what libc keeps, there. */
static int shim_actions_init(posix_spawn_file_actions_t **actions)
{
	*actions = malloc(sizeof(**actions));
	return posix_spawn_file_actions_init(*actions);
}

static int shim_actions_destroy(posix_spawn_file_actions_t **actions)
{
	posix_spawn_file_actions_destroy(*actions);
	free(*actions);
	return 0;
}

static int shim_actions_close(posix_spawn_file_actions_t **actions, int fd)
{
	return posix_spawn_file_actions_addclose(*actions, fd);
}

static int shim_actions_dup2(posix_spawn_file_actions_t **actions, int from, int to)
{
	return posix_spawn_file_actions_adddup2(*actions, from, to);
}

static int shim_attributes_init(posix_spawnattr_t **attributes)
{
	*attributes = malloc(sizeof(**attributes));
	return posix_spawnattr_init(*attributes);
}

static int shim_attributes_destroy(posix_spawnattr_t **attributes)
{
	posix_spawnattr_destroy(*attributes);
	free(*attributes);
	return 0;
}

static int shim_attributes_ignored(void)
{
	return 0;
}

static int shim_spawn(pid_t *pid, const char *path, posix_spawn_file_actions_t *const *actions,
		      posix_spawnattr_t *const *attributes, char *const argv[], char *const envp[])
{
	char *words[MOST], *variables[MOST];
	const char *program = run_by(path, argv, words, MOST);

	return macho_errno(posix_spawn(pid, program, actions ? *actions : NULL, attributes ? *attributes : NULL, words,
				       with_run(envp, variables, MOST)));
}

const struct shim process_shims[] = {
	{ "___error", shim_error },
	{ "_pthread_sigmask", shim_sigmask },
	{ "_sigprocmask", shim_sigmask },
	{ "_sigaction", shim_sigaction },
	{ "_sigaltstack", shim_sigaltstack },
	{ "___ulock_wait", shim_ulock_wait },
	{ "___ulock_wake", shim_ulock_wake },
	{ "_pthread_atfork", shim_at_fork },
	{ "_pthread_mach_thread_np", shim_thread_number },
	{ "_pthread_from_mach_thread_np", shim_thread_of },
	{ "_clock_gettime_nsec_np", shim_clock },
	{ "_getrlimit", shim_getrlimit },
	{ "_confstr", shim_confstr },
	{ "_proc_pidpath", shim_program_path },
	{ "_getprogname", shim_program_name },
	{ "__NSGetEnviron", shim_environ },
	{ "_uname", shim_uname },
	{ "_dlsym", shim_dlsym },
	{ "_dladdr", shim_dladdr },
	{ "_execve", shim_execve },
	{ "_posix_spawn", shim_spawn },
	{ "_posix_spawn_file_actions_init", shim_actions_init },
	{ "_posix_spawn_file_actions_destroy", shim_actions_destroy },
	{ "_posix_spawn_file_actions_addclose", shim_actions_close },
	{ "_posix_spawn_file_actions_adddup2", shim_actions_dup2 },
	{ "_posix_spawnattr_init", shim_attributes_init },
	{ "_posix_spawnattr_destroy", shim_attributes_destroy },
	{ "_posix_spawnattr_setflags", shim_attributes_ignored },
	{ "_posix_spawnattr_setsigmask", shim_attributes_ignored },
	{ "_posix_spawnattr_setsigdefault", shim_attributes_ignored },
	{ NULL, NULL },
};
