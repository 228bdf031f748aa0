/* What starting a program takes, for exec.c and spawn_folder.c. Nothing of it touches memory but the caller's stack. */
#ifndef LAYER_EXEC_H
#define LAYER_EXEC_H

struct cwd_folder;

/* Tells the session when `path`, or what `file` is found as in PATH, runs outside the pod. */
void exec_report(const char *path, char *const argv[]);
void exec_report_found(const char *file, char *const argv[]);
/* The program as the kernel is to be told it, which knows nothing of a working directory of the target. NULL with errno. */
const char *exec_path(const struct cwd_folder *folder, const char *path, char *into);
/* The same; what is named without a slash is looked for in PATH. */
const char *exec_file(const struct cwd_folder *folder, const char *file, char *into);

/* One way of starting a program; `envp` is the last thing that is missing. */
typedef int (*exec_run)(const void *call, char *const envp[]);
/* Starts it in `folder` with `envp`, to which is added what keeps the child in the session. */
int exec_start(const struct cwd_folder *folder, char *const envp[], exec_run run, const void *call);

#endif
