/*
 * Asks libc about hosts: one question a line on standard input, one line of answer each, all that the caller
 * would get. Run under the layer and in the target itself by the tests of names, which compare the lines.
 *   addrinfo NAME SERVICE FAMILY SOCKTYPE FLAGS | byname NAME FAMILY | old NAME | byname_r NAME FAMILY BYTES |
 *   byaddr ADDRESS | byaddr_r ADDRESS BYTES | nameinfo ADDRESS PORT FLAGS BYTES | hostname BYTES | checked_hostname | uname |
 *   twice NAME NAME | keep NAME | beside NAME NAME | crowd THREADS NAME | quit
 * "-" is a null pointer, "=" an empty string. FAMILY is 0, 4 or 6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *text(const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : strcmp(word, "=") == 0 ? "" : word;
}

static int family_of(const char *word)
{
	return atoi(word) == 4 ? AF_INET : atoi(word) == 6 ? AF_INET6 : atoi(word);
}

static void print_address(int family, const void *bytes)
{
	char shown[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, bytes, shown, sizeof(shown));
	printf(" %s", shown);
}

static void addrinfo(char words[6][2048])
{
	struct addrinfo hints = {
		.ai_family = family_of(words[3]),
		.ai_socktype = atoi(words[4]),
		.ai_flags = atoi(words[5]),
	};
	struct addrinfo *list = NULL;
	int status;

	errno = 0;
	status = getaddrinfo(text(words[1]), text(words[2]), strcmp(words[5], "-") == 0 ? NULL : &hints, &list);
	if (status != 0) {
		printf("error %d %s", status, status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status));
		return;
	}
	printf("found");
	for (struct addrinfo *at = list; at; at = at->ai_next) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)at->ai_addr;
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)at->ai_addr;

		if (at->ai_canonname)
			printf(" [%s]", at->ai_canonname);
		print_address(at->ai_family, at->ai_family == AF_INET ? (const void *)&four->sin_addr : &six->sin6_addr);
		printf("/%d/%d/%d/%d/%d", ntohs(four->sin_port), at->ai_socktype, at->ai_protocol, (int)at->ai_addrlen,
		       at->ai_flags);
	}
	freeaddrinfo(list);
}

static void print_host(const struct hostent *host)
{
	printf("found %s (", host->h_name);
	for (char **alias = host->h_aliases; *alias; alias++)
		printf("%s%s", alias == host->h_aliases ? "" : " ", *alias);
	printf(") %d/%d", host->h_addrtype, host->h_length);
	for (char **address = host->h_addr_list; *address; address++)
		print_address(host->h_addrtype, *address);
}

static void print_static(const struct hostent *host)
{
	if (host)
		print_host(host);
	else
		printf("error %d%s", h_errno, h_errno == NETDB_INTERNAL ? strerror(errno) : "");
}

#ifdef __linux__
static void print_reentrant(int status, const struct hostent *host, int error)
{
	if (host)
		print_host(host);
	else
		printf("error %d %d", status, error);
}

static void byname_r(const char *name, int family, size_t bytes)
{
	char *buffer = malloc(bytes + 1); /* one more, to see that it is left alone */
	struct hostent host, *found = &host;
	int error = 0, status;

	buffer[bytes] = 77;
	if (family == 0)
		status = gethostbyname_r(name, &host, buffer, bytes, &found, &error);
	else
		status = gethostbyname2_r(name, family, &host, buffer, bytes, &found, &error);
	print_reentrant(status, found, error);
	printf("%s", buffer[bytes] == 77 ? "" : " OVERRUN");
	free(buffer);
}
#endif

#ifdef __linux__
static void byaddr_r(const void *at, socklen_t length, int family, size_t bytes)
{
	struct hostent host, *found = &host;
	char *buffer = malloc(bytes);
	int error = 0, status = gethostbyaddr_r(at, length, family, &host, buffer, bytes, &found, &error);

	print_reentrant(status, found, error);
	free(buffer);
}
#endif

static int parse_address(const char *word, struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, word, &four->sin_addr) == 1)
		address->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, word, &six->sin6_addr) == 1)
		address->ss_family = AF_INET6;
	else
		return 0;
	return address->ss_family;
}

static void byaddr(const char *word, size_t bytes)
{
	struct sockaddr_storage address;
	int family = parse_address(word, &address);
	const void *at = family == AF_INET ? (const void *)&((struct sockaddr_in *)&address)->sin_addr :
					     &((struct sockaddr_in6 *)&address)->sin6_addr;
	socklen_t length = family == AF_INET ? 4 : 16;

	if (bytes == 0)
		print_static(gethostbyaddr(at, length, family));
#ifdef __linux__
	else
		byaddr_r(at, length, family, bytes);
#endif
}

static void nameinfo(char words[6][2048])
{
	struct sockaddr_storage address;
	int family = parse_address(words[1], &address), status;
	socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	char host[2048] = "", port[64] = "";

	((struct sockaddr_in *)&address)->sin_port = htons(atoi(words[2]));
	status = getnameinfo((struct sockaddr *)&address, length, host, atoi(words[4]), port, sizeof(port), atoi(words[3]));
	if (status != 0)
		printf("error %d %s", status, status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status));
	else
		printf("found %s %s", host, port);
}

static void own_name(size_t bytes)
{
	char name[256] = "";
	int status;

	errno = 0;
	status = gethostname(name, bytes);
	if (status < 0)
		printf("error %s", strerror(errno));
	else
		printf("found %.*s", (int)bytes, name);
}

#ifdef __linux__
/* What a fortified program calls for a buffer whose size the compiler knows. */
int __gethostname_chk(char *name, size_t bytes, size_t size);

static void checked_name(void)
{
	char name[256] = "";

	if (__gethostname_chk(name, sizeof(name), sizeof(name)) < 0)
		printf("error %s", strerror(errno));
	else
		printf("found %s", name);
}
#endif

/* Both results are read before the next call of the same function. */
static void twice(const char *first, const char *second)
{
	print_static(gethostbyname(first));
	printf("; ");
	print_static(gethostbyname(second));
}

/* A result outlives a call of another function, and a fork. */
static void keep(const char *name)
{
	struct hostent *host = gethostbyname(name), *other;

	if (!host) {
		print_static(host);
		return;
	}
	print_host(host);
	printf("; ");
	other = gethostbyaddr(host->h_addr_list[0], host->h_length, host->h_addrtype);
	print_static(other);
	printf("; ");
	print_host(host);
	fflush(stdout);
	if (fork() == 0) {
		printf("; child ");
		print_host(host);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void *ask(void *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int status = getaddrinfo(name, "80", &hints, &list);

	if (status == 0)
		freeaddrinfo(list);
	return (void *)(long)status;
}

static void crowd(int count, const char *name)
{
	pthread_t threads[256];
	int failed = 0;

	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, ask, (void *)name);
	for (int i = 0; i < count; i++) {
		void *status;

		pthread_join(threads[i], &status);
		failed += status != NULL;
	}
	printf("%d of %d failed", failed, count);
}

/* While one thread waits for a look-up, another asks, and so does a child. */
static void beside(char *slow, char *fast)
{
	pthread_t thread;
	void *status;

	pthread_create(&thread, NULL, ask, slow);
	printf("beside %ld\n", (long)ask(fast));
	fflush(stdout);
	if (fork() == 0) {
		printf("child %ld\n", (long)ask(fast));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	pthread_join(thread, &status);
	printf("slow %ld", (long)status);
}

static void pass_over(int signal)
{
	(void)signal;
}

static void obey(char words[6][2048])
{
	struct utsname names;

	if (strcmp(words[0], "addrinfo") == 0)
		addrinfo(words);
	else if (strcmp(words[0], "byname") == 0)
		print_static(gethostbyname2(text(words[1]), family_of(words[2])));
	else if (strcmp(words[0], "old") == 0)
		print_static(gethostbyname(text(words[1])));
#ifdef __linux__
	else if (strcmp(words[0], "byname_r") == 0)
		byname_r(text(words[1]), family_of(words[2]), (size_t)atoi(words[3]));
	else if (strcmp(words[0], "checked_hostname") == 0)
		checked_name();
#endif
	else if (strcmp(words[0], "byaddr") == 0)
		byaddr(words[1], 0);
	else if (strcmp(words[0], "byaddr_r") == 0)
		byaddr(words[1], (size_t)atoi(words[2]));
	else if (strcmp(words[0], "nameinfo") == 0)
		nameinfo(words);
	else if (strcmp(words[0], "hostname") == 0)
		own_name((size_t)atoi(words[1]));
	else if (strcmp(words[0], "uname") == 0)
		printf("%s", uname(&names) == 0 ? names.nodename : strerror(errno));
	else if (strcmp(words[0], "twice") == 0)
		twice(words[1], words[2]);
	else if (strcmp(words[0], "keep") == 0)
		keep(words[1]);
	else if (strcmp(words[0], "beside") == 0)
		beside(words[1], words[2]);
	else if (strcmp(words[0], "crowd") == 0)
		crowd(atoi(words[1]), words[2]);
	else
		printf("unknown");
}

int main(void)
{
	static char line[12288], words[6][2048];
	const struct sigaction handler = { .sa_handler = pass_over }; /* without SA_RESTART */

	sigaction(SIGUSR1, &handler, NULL);

	while (fgets(line, sizeof(line), stdin)) {
		char *at = line;

		memset(words, 0, sizeof(words));
		for (int i = 0; i < 6; i++) {
			char *word = strsep(&at, " \n");

			if (!word)
				break;
			snprintf(words[i], sizeof(words[i]), "%s", word);
		}
		if (strcmp(words[0], "quit") == 0)
			break;
		obey(words);
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
