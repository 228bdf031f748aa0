/*
 * The string calls that the layer makes when a program asks for a symbol, without libc. Put before those
 * files of the layer that run before AddressSanitizer's runtime is ready: its own string calls do not work
 * yet then. See sanitizers_test.ts.
 */
#ifndef PLAIN_STRINGS_H
#define PLAIN_STRINGS_H

#include <string.h>

#define PLAIN static inline __attribute__((unused))

PLAIN int plain_memcmp(const void *one, const void *other, size_t count)
{
	const unsigned char *a = one, *b = other;

	for (size_t i = 0; i < count; i++)
		if (a[i] != b[i])
			return a[i] - b[i];
	return 0;
}

PLAIN int plain_strncmp(const char *one, const char *other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (one[i] != other[i] || !one[i])
			return (unsigned char)one[i] - (unsigned char)other[i];
	return 0;
}

PLAIN int plain_strcmp(const char *one, const char *other)
{
	return plain_strncmp(one, other, (size_t)-1);
}

PLAIN size_t plain_strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

PLAIN const char *plain_strrchr(const char *text, int wanted)
{
	const char *found = NULL;

	for (; *text; text++)
		if (*text == wanted)
			found = text;
	return found;
}

#define memcmp plain_memcmp
#define strncmp plain_strncmp
#define strcmp plain_strcmp
#define strlen plain_strlen
#define strrchr plain_strrchr

#endif
