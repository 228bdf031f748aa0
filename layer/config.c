/*
 * Owns the layer's settings: two environment variables, read once by preload/init.c before the app can change them.
 * MIRRORD_LAYER_SOCKET: path of the session's Unix socket; without it the layer does nothing.
 * MIRRORD_SESSION_PID: the session's process id, decimal.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* sun_path of unix(7), with its terminating zero. */
#define SOCKET_PATH_BYTES 108

static char socket_path[SOCKET_PATH_BYTES];
static pid_t session;

bool config_read(void)
{
	const char *path = getenv("MIRRORD_LAYER_SOCKET");
	const char *pid = getenv("MIRRORD_SESSION_PID");
	size_t length = path ? strlen(path) : 0;

	if (length == 0 || length >= sizeof(socket_path))
		return false;
	memcpy(socket_path, path, length + 1);
	if (pid)
		session = (pid_t)strtol(pid, NULL, 10);
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
