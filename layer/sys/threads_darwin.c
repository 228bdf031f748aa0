/* threads.h on Darwin: the threads that the layer makes for the app. */
#include <pthread.h>

#include "threads.h"

int sys_start_thread(void *(*run)(void *), void *context, const pthread_attr_t *attributes)
{
	pthread_attr_t detached;
	pthread_t thread;
	int status;

	if (attributes)
		return -pthread_create(&thread, attributes, run, context);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	status = pthread_create(&thread, &detached, run, context);
	pthread_attr_destroy(&detached);
	return -status;
}
