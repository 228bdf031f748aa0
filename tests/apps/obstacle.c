/*
 * What the layer says of programs before they are run (layer/sys/program_linux.c, linked in): one line for
 * each path, "-" where it gets in or cannot tell. Run by tests/layer/obstacles_test.ts, which compares it
 * with what mirrord says.
 */
#include <stdio.h>
#include <string.h>

#include "program.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char path[PROGRAM_PATH_BYTES] = "";
		const char *obstacle;

		strncpy(path, argv[i], sizeof(path) - 1);
		program_follow(path);
		obstacle = program_obstacle(path, "/mirrord/$LIB/layer.so");
		puts(obstacle ? obstacle : "-");
	}
	return 0;
}
