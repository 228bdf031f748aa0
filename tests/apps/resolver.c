/*
 * Asks the name servers as programs do that read replies themselves (resolver(3)): one question a line on
 * standard input, one line of answer each. Run under the layer and in the target itself by the tests of
 * names, which compare the lines.
 *   FUNCTION NAME TYPE BYTES [SET UNSET [DOMAIN]] | quit
 * FUNCTION is a symbol: res_query, __res_nsend and so on, looked up as the dynamic linker does; SET and UNSET
 * are bits of the resolver's options; "=" is an empty name. The reply is printed in hexadecimal digits, its
 * id as 0 where libc made it.
 */
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_ID 0x4d52

enum { FUNCTION, NAME, TYPE, BYTES, SET, UNSET, DOMAIN_PART, WORDS };

static char words[WORDS][2048];
static unsigned char answer[70000];

typedef int (*query_call)(const char *, int, int, unsigned char *, int);
typedef int (*domain_call)(const char *, const char *, int, int, unsigned char *, int);
typedef int (*send_call)(const unsigned char *, int, unsigned char *, int);
typedef int (*nquery_call)(res_state, const char *, int, int, unsigned char *, int);
typedef int (*ndomain_call)(res_state, const char *, const char *, int, int, unsigned char *, int);
typedef int (*nsend_call)(res_state, const unsigned char *, int, unsigned char *, int);

/* Calls the function; with a state of this program's when it is one of the n-forms. */
static int call(void *function, res_state own, int type, int size)
{
	const char *name = strcmp(words[NAME], "=") == 0 ? "" : words[NAME], *is = words[FUNCTION];
	unsigned char query[1024];
	int length;

	if (strstr(is, "send")) {
		length = res_nmkquery(own ? own : &_res, QUERY, name, C_IN, type, NULL, 0, NULL, query, sizeof(query));
		query[0] = SENT_ID >> 8;
		query[1] = SENT_ID & 255;
		if (own)
			return ((nsend_call)function)(own, query, length, answer, size);
		return ((send_call)function)(query, length, answer, size);
	}
	if (strstr(is, "querydomain")) {
		if (own)
			return ((ndomain_call)function)(own, name, words[DOMAIN_PART], C_IN, type, answer, size);
		return ((domain_call)function)(name, words[DOMAIN_PART], C_IN, type, answer, size);
	}
	if (own)
		return ((nquery_call)function)(own, name, C_IN, type, answer, size);
	return ((query_call)function)(name, C_IN, type, answer, size);
}

static void ask(void)
{
	int is_own = strstr(words[FUNCTION], "res_n") != NULL, size = atoi(words[BYTES]), length, shown;
	int is_send = strstr(words[FUNCTION], "send") != NULL;
	void *function = dlsym(RTLD_DEFAULT, words[FUNCTION]);
	struct __res_state own = { 0 };
	res_state state = is_own ? &own : &_res;

	if (!function) {
		printf("no such function");
		return;
	}
	if (is_own)
		res_ninit(&own);
	else
		res_init();
	state->options |= strtoul(words[SET], NULL, 0);
	state->options &= ~strtoul(words[UNSET], NULL, 0);
	memset(answer, 77, sizeof(answer));
	h_errno = errno = 0;
	length = call(function, is_own ? &own : NULL, atoi(words[TYPE]), size);
	if (length < 0) {
		int error = errno;

		printf("error %d", length);
		if (is_send)
			printf(" %s", strerror(error));
		else
			printf(" %d %d rcode %d", h_errno, state->res_h_errno, size > 3 ? answer[3] & 15 : 0);
	} else {
		shown = length < size ? length : size;
		if (!is_send)
			answer[0] = answer[1] = 0;
		printf("found %d ", length);
		for (int i = 0; i < shown; i++)
			printf("%02x", answer[i]);
	}
	for (size_t i = (size_t)size; i < sizeof(answer); i++)
		if (answer[i] != 77) {
			printf(" OVERRUN");
			break;
		}
	if (is_own)
		res_nclose(&own);
}

int main(void)
{
	static char line[12288];

	while (fgets(line, sizeof(line), stdin)) {
		char *at = line;

		memset(words, 0, sizeof(words));
		for (int i = 0; i < WORDS; i++) {
			char *word = strsep(&at, " \n");

			if (!word)
				break;
			snprintf(words[i], sizeof(words[i]), "%s", word);
		}
		if (strcmp(words[FUNCTION], "quit") == 0)
			break;
		ask();
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
