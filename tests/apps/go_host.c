/* A C program that needs a library in Go (tests/apps/go_library): dial ADDRESS, read PATH or serve PORT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int GoDial(char *address);
extern char *GoRead(char *path);
extern int GoServe(int port);

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "dial") == 0)
		printf("%d\n", GoDial(argv[2]));
	if (strcmp(argv[1], "read") == 0)
		printf("%s\n", GoRead(argv[2]));
	if (strcmp(argv[1], "serve") == 0) {
		printf("%d\n", GoServe(atoi(argv[2])));
		pause();
	}
	return 0;
}
