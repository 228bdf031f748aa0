/* Sends bytes and ends without closing: host port size. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	static char block[1000];
	int fd, failed;

	if (count != 4)
		return 2;
	memset(block, 'c', sizeof(block));
	v4.sin_port = v6.sin6_port = htons((unsigned short)atoi(words[2]));
	if (strchr(words[1], ':')) {
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		inet_pton(AF_INET6, words[1], &v6.sin6_addr);
		failed = connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	} else {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		inet_pton(AF_INET, words[1], &v4.sin_addr);
		failed = connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	}
	if (failed)
		return 3;
	for (long left = atol(words[3]); left > 0; left -= (long)sizeof(block))
		if (send(fd, block, sizeof(block), 0) != sizeof(block))
			return 4;
	_exit(0);
}
