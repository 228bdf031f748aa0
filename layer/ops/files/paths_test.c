/*
 * Tests of paths.c: normal forms, descriptors' names, and the session's rules. Run by
 * tests/layer/ops_test.ts.
 */
#include <errno.h>
#include <string.h>

#include "paths.h"
#include "../tap.h"

static bool becomes(const char *path, const char *expected)
{
	char into[PATH_MAX];
	int length = paths_normalise(path, into);

	if (length == (int)strlen(expected) && strcmp(into, expected) == 0)
		return true;
	printf("# %s became %s\n", path, length < 0 ? "nothing" : into);
	return false;
}

static bool is_local(const char *path)
{
	return paths_is_local(path, strlen(path));
}

static void test_forms(void)
{
	char into[PATH_MAX], once[PATH_MAX] = "/a/./b//../c", *same = once;
	char longest[PATH_MAX + 8];

	ok(becomes("/", "/") && becomes("//", "/") && becomes("/.", "/") && becomes("/..", "/"), "the root in its forms");
	ok(becomes("/a/b", "/a/b") && becomes("//a///b", "/a/b"), "slashes that follow one another are one");
	ok(becomes("/a/./b", "/a/b") && becomes("/./a", "/a"), "a dot is nothing");
	ok(becomes("/a/../b", "/b") && becomes("/a/b/../../c", "/c"), "two dots take a component away");
	ok(becomes("/../../a", "/a") && becomes("/a/../..", "/"), "nothing lies above the root");
	ok(becomes("/a/", "/a/") && becomes("/a//", "/a/"), "a slash at the end stays");
	ok(becomes("/a/.", "/a/") && becomes("/a/b/..", "/a/"), "what must be a folder says so");
	ok(becomes("/a/...", "/a/...") && becomes("/.a", "/.a") && becomes("/a/..b", "/a/..b"), "dots in names stay");
	ok(becomes("a/b", "a/b") && becomes("./a", "a") && becomes("a/../b", "b"), "relative paths likewise");
	ok(becomes("..", "../") && becomes("../a", "../a") && becomes("a/../../b", "../b"), "two dots in front stay");
	ok(becomes("../../a/..", "../../") && becomes(".", "."), "and so does a single dot");
	ok(paths_normalise("", into) == -ENOENT, "an empty path names nothing");
	ok(paths_normalise(same, once) == 4 && strcmp(once, "/a/c") == 0, "in place");
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[PATH_MAX - 3] = 0;
	ok(paths_normalise(longest, into) == PATH_MAX - 3, "the longest path fits");
	longest[PATH_MAX - 3] = 'x';
	longest[PATH_MAX + 4] = 0;
	ok(paths_normalise(longest, into) == -ENAMETOOLONG, "a longer one is refused");
}

static void test_last_dots(void)
{
	ok(paths_last_dots(".") == 1 && paths_last_dots("/a/./") == 1 && paths_last_dots("a/.") == 1, "one dot at the end");
	ok(paths_last_dots("..") == 2 && paths_last_dots("a/..//") == 2, "two dots");
	ok(paths_last_dots("") == 0 && paths_last_dots("/") == 0 && paths_last_dots("a.") == 0 && paths_last_dots("a/...") == 0 &&
		   paths_last_dots("./a") == 0 && paths_last_dots("a..") == 0,
	   "and none");
}

static void test_descriptors(void)
{
	ok(paths_descriptor("/dev/stdin") == 0 && paths_descriptor("/dev/stderr") == 2, "the standard ones by name");
	ok(paths_descriptor("/proc/self/fd/12") == 12 && paths_descriptor("/dev/fd/0") == 0, "others by number");
	ok(paths_descriptor("/dev/fd/") == -1 && paths_descriptor("/dev/fd/1x") == -1, "but not what is none");
	ok(paths_descriptor("/dev/fd/99999999999999") != 0 && paths_descriptor("/dev/null") == -1, "nor other devices");
}

static void test_rules(void)
{
	static const char rules[] = "A/usr/Secret\na.Pem\nL/usr\nl.so\nP/home/me/.\nL/etc\n";

	ok(!paths_known() && !paths_caught(), "nothing is known at first");
	ok(is_local("/usr/lib/x") && is_local("/proc/self") && !is_local("/data") && !is_local("/usrx"),
	   "then only system folders are local");
	paths_learn(true, rules, sizeof(rules) - 1);
	ok(paths_known() && paths_caught(), "rules are learned");
	ok(is_local("/usr") && is_local("/usr/lib") && !is_local("/usrlocal") && !is_local("/us"), "a tree");
	ok(is_local("/usr/") && is_local("/etc/"), "a slash at the end does not count");
	ok(!is_local("/usr/secret/key") && !is_local("/usr/SECRETS"), "what must be asked about is, whatever its case");
	ok(!is_local("/etc/tls.pem") && !is_local("/usr/a.PEM"), "by its end, too");
	ok(is_local("/data/lib.so") && !is_local("/data/lib.SO"), "a local end, with its case");
	ok(is_local("/home/me/.bashrc") && !is_local("/home/me/data"), "a local beginning");
	ok(!is_local("/") && !is_local("/data/x"), "everything else is asked about");
	ok(!paths_tree_is_local("/etc", 4) && !paths_tree_is_local("/data", 5), "below a folder anything may end so");
	paths_learn(false, "L/\n", 3);
	ok(paths_caught() && !is_local("/data/x"), "the first answer stands");
}

int main(void)
{
	test_forms();
	test_last_dots();
	test_descriptors();
	test_rules();
	return tap_end();
}
