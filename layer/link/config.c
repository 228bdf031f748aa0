/*
 * Owns the layer's settings: environment variables, read once by preload/guard.c before the app can change
 * them. MIRRORD_LAYER_SOCKET: path of the session's Unix socket; without it the layer does nothing.
 * MIRRORD_SESSION_PID: the session's process id, decimal; 0 in a container. MIRRORD_SKIP: names of programs
 * that run without the layer, separated by slashes, which no name has.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "../sys/program.h"
#include "../sys/sys.h"
#include "../wire.h"

static const char *const names[CONFIG_KEPT] = { "MIRRORD_LAYER_SOCKET", "MIRRORD_SESSION_PID", "MIRRORD_SKIP" };

static const char *socket_path = "", *skipped = "";
static pid_t session;
static struct config_kept kept;

/* A copy of "NAME=value" for good; its value. */
static const char *keep(const char *name, const char *value)
{
	size_t head = strlen(name) + 1, size = head + strlen(value) + 1;
	char *copy = sys_map(size, false);

	if (!copy)
		return NULL;
	strcpy(copy, name);
	copy[head - 1] = '=';
	strcpy(copy + head, value);
	kept.entries[kept.count++] = copy;
	return copy + head;
}

/* dladdr(3): the file that this function was loaded from. */
static void find_library(void)
{
	Dl_info found;

	if (dladdr((const void *)config_read, &found) && found.dli_fname && found.dli_fname[0] == '/' &&
	    strlen(found.dli_fname) < sizeof(kept.library))
		strcpy(kept.library, found.dli_fname);
}

/* The entry of the list (ld.so(8), dyld(1)) that ends as the library's path does; otherwise that path. */
static void find_preload(void)
{
	const char *list = getenv(PROGRAM_PRELOAD_NAME), *name = strrchr(kept.library, '/');
	size_t length;

	strcpy(kept.preload, kept.library);
	for (const char *at = list && name ? list : ""; *at; at += length + (at[length] != 0)) {
		length = strcspn(at, PROGRAM_PRELOAD_BETWEEN);
		if (length < sizeof(kept.preload) && length >= strlen(name) &&
		    strncmp(at + length - strlen(name), name, strlen(name)) == 0) {
			memcpy(kept.preload, at, length);
			kept.preload[length] = 0;
			return;
		}
	}
}

bool config_read(void)
{
	const char *values[CONFIG_KEPT];
	size_t length;

	for (int i = 0; i < CONFIG_KEPT; i++)
		values[i] = getenv(names[i]);
	length = values[0] ? strlen(values[0]) : 0;
	if (length == 0 || length >= WIRE_SOCKET_PATH_BYTES)
		return false;
	for (int i = 0; i < CONFIG_KEPT; i++) {
		values[i] = values[i] ? keep(names[i], values[i]) : "";
		if (!values[i])
			return false;
	}
	socket_path = values[0];
	session = (pid_t)strtol(values[1], NULL, 10);
	skipped = values[2];
	find_library();
	find_preload();
	return true;
}

const char *config_socket(void)
{
	return socket_path;
}

pid_t config_session(void)
{
	return session;
}

const struct config_kept *config_kept(void)
{
	return &kept;
}

bool config_skips(const char *name)
{
	size_t wanted = strlen(name), length;

	for (const char *at = skipped; *at; at += length + (at[length] != 0)) {
		length = strcspn(at, "/");
		if (length == wanted && length > 0 && strncmp(at, name, length) == 0)
			return true;
	}
	return false;
}
