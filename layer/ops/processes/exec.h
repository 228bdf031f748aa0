/* What starting a program needs. All of it touches only the caller's stack. See exec.c. */
#ifndef LAYER_EXEC_H
#define LAYER_EXEC_H

#include <stdbool.h>

struct cwd_folder;

/*
 * Reports to the session that `file`, a program or a library, runs outside the pod; reason: a clause with
 * "it is ...".
 */
void exec_tell(const char *file, const char *reason);
/*
 * Reports to the session when `path`, `file` as found in PATH, or the file open as `fd`, runs outside the
 * pod.
 */
void exec_report(const char *path, char *const argv[]);
void exec_report_found(const char *file, char *const argv[]);
void exec_report_descriptor(int fd, char *const argv[]);
/* A child, as the app wants it. */
struct exec_child {
	const struct cwd_folder *folder; /* of the target, where it starts; NULL: where the kernel has it */
	char *const *envp;
	bool places; /* the layer works in this process: what the environment says of a folder is its own to say */
};

/* One way of starting a program; `envp` is the last thing that is missing. */
typedef int (*exec_run)(const void *call, char *const envp[]);
/* Starts it, with what keeps it in the session added to its environment. */
int exec_start(const struct exec_child *child, exec_run run, const void *call);

#endif
