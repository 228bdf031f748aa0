/*
 * An app that makes any call about files that it is told: one a line from stdin, through libc, the symbol
 * found by dlsym. tests/layer drives it. A line is KIND NAME ARGUMENT...; kinds: i (int), l (long), p
 * (pointer), v (nothing). Arguments: a number; s:TEXT; $N, the Nth result (from 0); b, a buffer; v, two
 * pieces of it; t, two times (1 s, 2 s); o, an offset of 0; g, a glob_t; q, a pointer; a:TEXT, a list of one
 * text; f:NAME, a function of libc. It prints the result, or the errno's name. Lines of one word show what is
 * in the buffer.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/statfs.h>
#endif

#include "errno_name.h"

#define RESULTS 64

typedef long (*call)(long, long, long, long, long, long, long);

static long results[RESULTS];
static char buffer[65536];
static struct iovec parts[2] = { { buffer, 3 }, { buffer + 3, 100 } };
static struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
static off_t offset[2];
static glob_t found;
static void *pointer;
static char *list[2];

static long argument(const char *text)
{
	switch (text[0]) {
	case 's':
		return (long)strdup(text + 2);
	case '$':
		return results[atoi(text + 1)];
	case 'b':
		return (long)buffer;
	case 'v':
		return (long)parts;
	case 't':
		return (long)times;
	case 'o':
		return (long)offset;
	case 'g':
		return (long)&found;
	case 'q':
		return (long)&pointer;
	case 'a':
		list[0] = strdup(text + 2);
		return (long)list;
	case 'f':
		return (long)dlsym(RTLD_DEFAULT, text + 2);
	default:
		return strtol(text, NULL, 0);
	}
}

/* A call that macOS has in several forms is that which its headers choose: with 64-bit inode numbers. */
static call find(const char *name)
{
	call found = NULL;
#if defined(__APPLE__) && defined(__x86_64__)
	char full[64];

	snprintf(full, sizeof(full), "%s$INODE64", name);
	found = (call)dlsym(RTLD_DEFAULT, full);
#endif
	return found ? found : (call)dlsym(RTLD_DEFAULT, name);
}

static long make(char kind, const char *name, const long *with)
{
	call function = find(name);
	long result;

	errno = 0;
	if (!function) {
		printf("no such call\n");
		return -1;
	}
#ifdef __APPLE__
	/* What stands for the dots is passed on the stack on arm64. */
	if (strcmp(name, "ioctl") == 0)
		result = ((int (*)(int, unsigned long, ...))function)((int)with[0], (unsigned long)with[1], with[2]);
	else
#endif
		result = function(with[0], with[1], with[2], with[3], with[4], with[5], with[6]);
	if (kind == 'i')
		result = (int)result;
	if (kind == 'v' || (kind == 'p' && result != 0 && result != -1))
		printf("ok\n");
	else if (kind == 'p' || result < 0)
		printf("%s\n", errno ? errno_name(errno) : "nothing");
	else
		printf("%ld\n", result);
	return result;
}

static void show(const char *what)
{
	const struct stat *status = (const void *)buffer;

	if (strcmp(what, "text") == 0)
		printf("%s\n", buffer);
	else if (strcmp(what, "stat") == 0)
		printf("%ld %o %lx %ld %d\n", (long)status->st_size, status->st_mode, (long)status->st_dev, status->st_mtime,
		       (int)status->st_uid);
#ifdef __linux__
	else if (strcmp(what, "statx") == 0)
		printf("%ld %o %ld\n", (long)((struct statx *)buffer)->stx_size, ((struct statx *)buffer)->stx_mode,
		       (long)((struct statx *)buffer)->stx_mtime.tv_sec);
	else if (strcmp(what, "statfs") == 0)
		printf("%lx %ld\n", (long)((struct statfs *)buffer)->f_type, (long)((struct statfs *)buffer)->f_namelen);
#endif
	else if (strcmp(what, "statvfs") == 0)
		printf("%ld %ld\n", (long)((struct statvfs *)buffer)->f_blocks, (long)((struct statvfs *)buffer)->f_namemax);
	else if (strcmp(what, "entry") == 0)
		printf("%s\n", ((struct dirent *)buffer)->d_name);
	else if (strcmp(what, "list") == 0)
		printf("%s\n", ((struct dirent **)pointer)[0]->d_name);
	else if (strcmp(what, "glob") == 0)
		printf("%s\n", found.gl_pathc ? found.gl_pathv[0] : "nothing");
	memset(buffer, 0, sizeof(buffer));
}

/*
 * Two seconds of the processor: a call that never comes back ends the program. libc's own readdir does not,
 * once it was handed a folder of the layer's.
 */
static void limit_own_time(void)
{
#ifdef __linux__
	struct rlimit limit = { 2, 2 };

	setrlimit(RLIMIT_CPU, &limit);
#endif
}

int main(void)
{
	char line[1024], *words[10];
	int count, next = 0;

	limit_own_time();
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		long with[7] = { 0 };

		line[strcspn(line, "\n")] = 0;
		count = 0;
		for (char *word = strtok(line, " "); word && count < 10; word = strtok(NULL, " "))
			words[count++] = word;
		if (count == 1) {
			show(words[0]);
		} else if (strcmp(words[0], "name") == 0) {
			printf("%s\n", ((struct dirent *)argument(words[1]))->d_name);
		} else if (strcmp(words[0], "fts") == 0) {
			printf("%d %s\n", ((FTSENT *)argument(words[1]))->fts_info, ((FTSENT *)argument(words[1]))->fts_name);
		} else if (strcmp(words[0], "string") == 0) {
			printf("%s\n", (char *)argument(words[1]));
		} else if (strcmp(words[0], "put8") == 0) {
			*(long *)(buffer + (count > 3 ? argument(words[3]) : 0)) = argument(words[1]) | argument(words[2]);
			printf("ok\n");
		} else if (strcmp(words[0], "set") == 0) {
			FD_SET((int)argument(words[1]), (fd_set *)buffer);
			printf("ok\n");
		} else if (strcmp(words[0], "put") == 0) {
			strcpy(buffer, words[1]);
			printf("ok\n");
		} else {
			for (int i = 2; i < count && i < 9; i++)
				with[i - 2] = argument(words[i]);
			results[next % RESULTS] = make(words[0][0], words[1], with);
			next++;
		}
	}
	return 0;
}
