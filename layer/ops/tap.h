/* TAP for the C tests of ops/: one line a check, a plan at the end. Read by tests/layer/ops_test.ts. */
#ifndef LAYER_TAP_H
#define LAYER_TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failures;

static inline void ok(bool holds, const char *what)
{
	printf("%sok %d - %s\n", holds ? "" : "not ", ++tap_count, what);
	tap_failures += !holds;
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures != 0;
}

#endif
