/*
 * A server that is compiled for musl: to each request at PORT it answers with a variable of the target, the
 * first line of the target's file that its argument names, as it reads it and as a shell reads it, and
 * whether it finds the target's own host name. Says on standard error that it listens once clients can come.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void first_line(FILE *stream, int (*end)(FILE *), char *into, int size)
{
	strcpy(into, "none");
	if (!stream)
		return;
	if (fgets(into, size, stream))
		into[strcspn(into, "\n")] = 0;
	end(stream);
}

static const char *finds_itself(void)
{
	struct addrinfo *list = NULL;
	char name[65] = "";
	int status;

	gethostname(name, sizeof(name) - 1);
	status = getaddrinfo(name, NULL, NULL, &list);
	if (status != 0)
		return gai_strerror(status);
	freeaddrinfo(list);
	return "found";
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons((unsigned short)atoi(getenv("PORT"))) };
	int listener = socket(AF_INET6, SOCK_STREAM, 0);
	char line[600] = "cat ", own[200], shell[200], body[600], answer[900], request[4096];

	if (argc != 2 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 10) < 0)
		return 1;
	strcat(line, argv[1]);
	fprintf(stderr, "listening on %s\n", getenv("PORT"));
	for (;;) {
		int one = accept(listener, NULL, NULL);

		if (one < 0 || read(one, request, sizeof(request)) < 0)
			return 2;
		first_line(fopen(argv[1], "r"), fclose, own, sizeof(own));
		first_line(popen(line, "r"), pclose, shell, sizeof(shell));
		snprintf(body, sizeof(body), "%s %s %s %s", getenv("GREETING"), own, shell, finds_itself());
		snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			 strlen(body), body);
		if (write(one, answer, strlen(answer)) < 0)
			return 3;
		close(one);
	}
}
