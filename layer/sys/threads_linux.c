/*
 * threads.h on Linux: the threads and signals that the layer makes for the app. They use libc, since they run
 * the app's code. libc's functions are looked up when they are needed, since up to glibc 2.33 they are in
 * libpthread, to which the layer must not be linked.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"
#include "threads.h"
#include "raw.h"

int sys_start_thread(void *(*run)(void *), void *context, const pthread_attr_t *attributes)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(RTLD_DEFAULT, "pthread_create");
	pthread_attr_t detached;
	pthread_t thread;
	int status;

	if (!create)
		return -ENOSYS;
	if (attributes)
		return -create(&thread, attributes, run, context);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	status = create(&thread, &detached, run, context);
	pthread_attr_destroy(&detached);
	return -status;
}

void sys_allow_signals(void)
{
	struct sys_signals none = { 0 };

	sys_restore_signals(&none);
}

/*
 * Bits of the two signals that libc keeps for itself: setuid(2) waits until every thread has taken one
 * (nptl(7)).
 */
#define LIBC_SIGNALS (3ull << 31)

void sys_shun_signals(void)
{
	struct sys_signals others = { .mask = ~LIBC_SIGNALS };

	sys_restore_signals(&others);
}

/* rt_sigqueueinfo(2) with the code of asynchronous look-ups (sigaction(2)). */
void sys_queue_signal(int number, union sigval value)
{
	siginfo_t about;

	memset(&about, 0, sizeof(about));
	about.si_signo = number;
	about.si_code = SI_ASYNCNL;
	about.si_pid = sys_getpid();
	about.si_uid = (uid_t)RAW(SYS_getuid);
	about.si_value = value;
	RAW(SYS_rt_sigqueueinfo, sys_getpid(), number, &about);
}
