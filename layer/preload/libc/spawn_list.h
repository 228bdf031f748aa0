/* libc's list of what a child of posix_spawn does first. See spawn_list_glibc.c and spawn_list_musl.c. */
#ifndef LAYER_SPAWN_LIST_H
#define LAYER_SPAWN_LIST_H

#include <spawn.h>
#include <stdbool.h>

/*
 * posix/spawn_int.h of glibc, the same since 2.2 but for kinds that were added at the end. With musl a copy
 * has this form.
 */
enum spawn_kind { SPAWN_CLOSE, SPAWN_DUP2, SPAWN_OPEN, SPAWN_CHDIR, SPAWN_FCHDIR, SPAWN_CLOSE_FROM };

struct spawn_action {
	enum spawn_kind kind;
	union {
		int fd; /* SPAWN_CLOSE, SPAWN_FCHDIR; of SPAWN_CLOSE_FROM the first */
		struct {
			int from;
			int to;
		} dup2;
		struct {
			int fd;
			char *path;
			int flags;
			mode_t mode;
		} open;
		struct {
			char *path;
		} chdir;
	};
};

/* Is libc's list in the form that is read here? A list made by its public calls shows it. */
bool spawn_actions_known(void);
/* Has a list, of whatever form, any action? NULL has none. */
bool spawn_actions_any(const posix_spawn_file_actions_t *actions);
/* How many a list of the known form has; and one of them, whose path stays the list's. */
int spawn_actions_count(const posix_spawn_file_actions_t *actions);
struct spawn_action spawn_action_at(const posix_spawn_file_actions_t *actions, int index);
/*
 * Makes a list of these, in place of `instead`; spawn_actions_end() it in any case. Theirs stay `all` and its
 * paths until then. 0 or an errno.
 */
int spawn_actions_make(posix_spawn_file_actions_t *made, const posix_spawn_file_actions_t *instead, struct spawn_action *all,
		       int count);
void spawn_actions_end(posix_spawn_file_actions_t *made);

#endif
