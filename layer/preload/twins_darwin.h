/*
 * The other names under which libSystem exports calls of hooks.h, for darwin.c: X(hook, a name of its own
 * here, the symbol). With $NOCANCEL a call is no cancellation point; with $DARWIN_EXTSN or $1050 it differs
 * in what UNIX 03 says otherwise, which the hooks leave to libc. tests/layer/macos_static_test.ts compares
 * the list with the SDK's.
 */
#ifndef LAYER_TWINS_DARWIN_H
#define LAYER_TWINS_DARWIN_H

#define TWINS(X) \
	X(variadic_open, open_nocancel, "_open$NOCANCEL") \
	X(variadic_openat, openat_nocancel, "_openat$NOCANCEL") \
	X(variadic_fcntl, fcntl_nocancel, "_fcntl$NOCANCEL") \
	X(layer_creat, creat_nocancel, "_creat$NOCANCEL") \
	X(layer_read, read_nocancel, "_read$NOCANCEL") \
	X(layer_pread, pread_nocancel, "_pread$NOCANCEL") \
	X(layer_readv, readv_nocancel, "_readv$NOCANCEL") \
	X(layer_preadv, preadv_nocancel, "_preadv$NOCANCEL") \
	X(layer_write, write_nocancel, "_write$NOCANCEL") \
	X(layer_pwrite, pwrite_nocancel, "_pwrite$NOCANCEL") \
	X(layer_writev, writev_nocancel, "_writev$NOCANCEL") \
	X(layer_pwritev, pwritev_nocancel, "_pwritev$NOCANCEL") \
	X(layer_fsync, fsync_nocancel, "_fsync$NOCANCEL") \
	X(layer_lockf, lockf_nocancel, "_lockf$NOCANCEL") \
	X(layer_close, close_nocancel, "_close$NOCANCEL") \
	X(layer_connect, connect_nocancel, "_connect$NOCANCEL") \
	X(layer_accept, accept_nocancel, "_accept$NOCANCEL") \
	X(layer_send, send_nocancel, "_send$NOCANCEL") \
	X(layer_sendto, sendto_nocancel, "_sendto$NOCANCEL") \
	X(layer_sendmsg, sendmsg_nocancel, "_sendmsg$NOCANCEL") \
	X(layer_recv, recv_nocancel, "_recv$NOCANCEL") \
	X(layer_recvfrom, recvfrom_nocancel, "_recvfrom$NOCANCEL") \
	X(layer_recvmsg, recvmsg_nocancel, "_recvmsg$NOCANCEL") \
	X(layer_poll, poll_nocancel, "_poll$NOCANCEL") \
	X(layer_select, select_nocancel, "_select$NOCANCEL") \
	X(layer_select, select_extsn, "_select$DARWIN_EXTSN") \
	X(layer_select, select_extsn_nocancel, "_select$DARWIN_EXTSN$NOCANCEL") \
	X(layer_pselect, pselect_nocancel, "_pselect$NOCANCEL") \
	X(layer_pselect, pselect_extsn, "_pselect$DARWIN_EXTSN") \
	X(layer_pselect, pselect_extsn_nocancel, "_pselect$DARWIN_EXTSN$NOCANCEL") \
	X(layer_realpath, realpath_plain, "_realpath") \
	X(layer_fopen, fopen_extsn, "_fopen$DARWIN_EXTSN") \
	X(layer_fdopen, fdopen_extsn, "_fdopen$DARWIN_EXTSN") \
	X(layer_popen, popen_extsn, "_popen$DARWIN_EXTSN") \
	X(layer_system, system_nocancel, "_system$NOCANCEL")

/* On x86_64 the headers choose another one for the name itself. */
#ifdef __x86_64__
#define TWINS_OF_PROCESSOR(X) \
	X(layer_select, select_plain, "_select") \
	X(layer_pselect, pselect_plain, "_pselect")
#else
#define TWINS_OF_PROCESSOR(X)
#endif

#endif
