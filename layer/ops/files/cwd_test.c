/*
 * Tests of cwd.c: what is kept, how paths are put behind it, and its variable for children. Run by
 * tests/layer/ops_test.ts.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../link/config.h"
#include "../../sys/sys_files.h"
#include "cwd.h"
#include "../tap.h"

static const char *socket_path = "/tmp/mirrord-cwd-test.sock";
static bool owns = true;

/* Stand-ins for link.c and config.c. */
bool link_owns(void)
{
	return owns;
}

const char *config_socket(void)
{
	return socket_path;
}

static const struct cwd_folder *keep(const char *path, const char *physical)
{
	return cwd_keep((struct wire_run){ .start = path, .length = (uint32_t)strlen(path) },
			(struct wire_run){ .start = physical, .length = (uint32_t)strlen(physical) });
}

static bool becomes(const struct cwd_folder *folder, const char *path, const char *expected)
{
	char into[PATH_MAX];
	const char *found = cwd_behind(folder, path, into);

	if (found && strcmp(found, expected) == 0)
		return true;
	printf("# %s became %s\n", path, found ? found : "nothing");
	return false;
}

static void test_keep(void)
{
	const struct cwd_folder *one = keep("/data/", "/srv/data"), *last = NULL;
	char path[32];
	bool same = true;

	ok(one && strcmp(one->path, "/data") == 0 && strcmp(one->physical, "/srv/data") == 0, "a directory has two names");
	ok(keep("/data", "/srv/data") == one, "each is kept once");
	ok(keep("/data", "/data") != one && keep("/dat", "/srv/data") != one, "by both of them");
	ok(!keep("data", "/data") && !keep("/data", "") && !keep("", "/"), "what is no absolute path is none");
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/many/%d", i);
		last = keep(path, path);
		same = same && last && strcmp(last->path, path) == 0;
	}
	ok(same && keep("/many/4999", "/many/4999") == last, "there may be thousands");
}

static void test_behind(void)
{
	const struct cwd_folder *folder = keep("/data/link", "/srv/real");
	char into[PATH_MAX], longest[PATH_MAX];

	ok(becomes(folder, "x", "/data/link/x") && becomes(folder, ".", "/data/link/.") &&
		   becomes(folder, "a/../b", "/data/link/a/../b") && becomes(folder, "..a/b", "/data/link/..a/b"),
	   "a relative path is put behind the name that was meant");
	ok(becomes(folder, "..", "/srv/real/..") && becomes(folder, "a//./../../b", "/srv/real/a//./../../b"),
	   "one that leads out of it behind the real one");
	ok(becomes(folder, "/x", "/x") && becomes(folder, "", "") && becomes(NULL, "x", "x"), "any other stays");
	memset(longest, 'a', sizeof(longest));
	longest[PATH_MAX - strlen("/data/link/") - 1] = 0;
	ok(cwd_behind(folder, longest, into) == into, "the longest path");
	longest[strlen(longest)] = 'a';
	longest[PATH_MAX - strlen("/data/link/")] = 0;
	ok(!cwd_behind(folder, longest, into), "a longer one is refused");
}

/* What a program finds that is started with `word` in its environment. */
static const struct cwd_folder *adopted(const char *word)
{
	setenv("MIRRORD_CWD", strchr(word, '=') + 1, 1);
	cwd_leave();
	cwd_adopt();
	return cwd_now();
}

static void test_word(void)
{
	const struct cwd_folder *folder = keep("/data/link", "/srv/real");
	char word[PATH_MAX], other[PATH_MAX];

	ok(cwd_entry_size(NULL) == 0, "no directory has no entry");
	cwd_entry(folder, word);
	ok(cwd_is_entry(word) && strlen(word) < cwd_entry_size(folder), "an entry is known, and fits");
	ok(!adopted(word), "a word does not count in a directory that is there");
	ok(sys_go_nowhere("/none/such") == 0 && sys_is_nowhere() && access(".", F_OK) == 0 && access("x", F_OK) < 0 &&
		   mkdir("x", 0700) < 0 && errno == ENOENT,
	   "nowhere nothing is, and nothing can be made");
	ok(adopted(word) == folder, "there it does");
	strcpy(other, word);
	other[strlen("MIRRORD_CWD=/")] = 'x';
	ok(!adopted(other), "but not another session's");
	for (char *at = word + strlen(word); at > word + strlen("MIRRORD_CWD="); at--) {
		*at = 0;
		adopted(word);
	}
	ok(!adopted(word), "nor one that breaks off");
}

static void test_apart(void)
{
	const struct cwd_folder *one = keep("/one", "/one"), *two = keep("/two", "/two");
	int status;
	pid_t child;

	ok(cwd_enter(one) == 0 && cwd_now() == one, "a directory is entered");
	owns = false;
	child = vfork();
	if (child == 0) {
		status = cwd_now() == one && cwd_enter(two) == 0 && cwd_now() == two;
		cwd_leave();
		_exit(status && !cwd_now() ? 0 : 1);
	}
	owns = true;
	ok(waitpid(child, &status, 0) == child && status == 0, "a vfork child has its own");
	ok(cwd_now() == one, "and leaves its parent's alone");
	ok(cwd_leave() == one && !cwd_now(), "it is left");
	cwd_restore(one);
	ok(cwd_now() == one, "and taken back");
}

int main(void)
{
	test_keep();
	test_behind();
	test_word();
	test_apart();
	return tap_end();
}
