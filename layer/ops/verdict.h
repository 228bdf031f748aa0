/*
 * The result of an operation: leave the call to libc, or the call's result. An operation acts on what its
 * caller hands it, and names neither libc's own functions, nor the guard, nor errno; the door that called it
 * (preload/, a supervisor) turns the verdict into what the app sees. With VERDICT_LIBC, libc gets the
 * arguments as the operation may have changed them.
 */
#ifndef LAYER_VERDICT_H
#define LAYER_VERDICT_H

enum verdict_kind {
	VERDICT_LIBC, /* not the session's business */
	VERDICT_VALUE, /* the call succeeds with `value` */
	VERDICT_ERROR, /* the call fails with the errno `value`, a positive number */
	VERDICT_DESCRIPTOR, /* the call succeeds with the descriptor `value`, which is this process's until it is handed over */
};

struct verdict {
	enum verdict_kind kind;
	long value;
};

static inline struct verdict verdict_libc(void)
{
	return (struct verdict){ .kind = VERDICT_LIBC };
}

/* `result`: what the call returns, or -errno. */
static inline struct verdict verdict_result(long result)
{
	return result < 0 ? (struct verdict){ .kind = VERDICT_ERROR, .value = -result } :
			    (struct verdict){ .kind = VERDICT_VALUE, .value = result };
}

/* `fd`: a descriptor, or -errno. */
static inline struct verdict verdict_descriptor(long fd)
{
	return fd < 0 ? verdict_result(fd) : (struct verdict){ .kind = VERDICT_DESCRIPTOR, .value = fd };
}

#endif
