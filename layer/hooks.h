/*
 * The list of libc calls that the layer takes over, one line each: X(type, name, parameters, arguments).
 * preload/linux.c makes two functions of every line: the exported one, which the app calls instead of libc's
 * and which does nothing but call layer_NAME() of preload/, and next_NAME(), libc's own. A line here without
 * a layer_NAME() does not link; tests/layer/hooks_test.ts requires a test for each. There is a list for each
 * set of platforms: LAYER_*_HOOKS for every platform, LAYER_*_LINUX_HOOKS for glibc and musl,
 * LAYER_*_GLIBC_HOOKS for glibc alone, LAYER_*_MUSL_HOOKS for musl alone, LAYER_*_DARWIN_HOOKS for Darwin,
 * where preload/darwin.c takes over.
 */
#ifndef LAYER_HOOKS_H
#define LAYER_HOOKS_H

#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <sys/utsname.h>

#include "hooks_files.h"

struct ifaddrs; /* <ifaddrs.h>, <net/if.h> */
struct if_nameindex;
struct __res_state; /* <resolv.h>, which gives other names to some calls below */

/*
 * Those that are variadic in C: their last argument is one of the list's only where it is passed like a named
 * one.
 */
#define LAYER_VARIADIC_HOOKS(X) \
	X(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode)) \
	X(int, openat, (int dirfd, const char *path, int flags, mode_t mode), (dirfd, path, flags, mode)) \
	X(int, fcntl, (int fd, int command, long argument), (fd, command, argument)) \
	X(int, ioctl, (int fd, unsigned long command, void *argument), (fd, command, argument))

#define LAYER_SOCKET_HOOKS(X) \
	X(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length)) \
	X(int, listen, (int fd, int backlog), (fd, backlog)) \
	X(int, accept, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length)) \
	X(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length)) \
	X(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length)) \
	X(int, close, (int fd), (fd)) \
	X(int, dup, (int fd), (fd)) \
	X(int, dup2, (int from, int to), (from, to))

#define LAYER_SOCKET_LINUX_HOOKS(X) \
	X(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags), (fd, address, length, flags)) \
	X(int, dup3, (int from, int to, int flags), (from, to, flags))

#define LAYER_SOCKET_GLIBC_HOOKS(X) \
	X(int, fcntl64, (int fd, int command, long argument), (fd, command, argument)) \
	X(void, closefrom, (int first), (first))

/* Outgoing connections: ops/sockets/outgoing.c. */
#define LAYER_OUTGOING_HOOKS(X) \
	X(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length)) \
	X(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length), (fd, level, option, value, length)) \
	X(ssize_t, send, (int fd, const void *bytes, size_t count, int flags), (fd, bytes, count, flags)) \
	X(ssize_t, recv, (int fd, void *bytes, size_t count, int flags), (fd, bytes, count, flags)) \
	X(ssize_t, sendto, (int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length), \
	  (fd, bytes, count, flags, address, length)) \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags)) \
	X(ssize_t, recvfrom, (int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length), \
	  (fd, bytes, count, flags, address, length)) \
	X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))

#define LAYER_OUTGOING_LINUX_HOOKS(X) \
	X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags), (fd, messages, count, flags)) \
	X(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout), \
	  (fd, messages, count, flags, timeout))

#define LAYER_OUTGOING_GLIBC_HOOKS(X) \
	X(ssize_t, __recv_chk, (int fd, void *bytes, size_t count, size_t room, int flags), (fd, bytes, count, room, flags)) \
	X(ssize_t, __recvfrom_chk, \
	  (int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address, socklen_t *length), \
	  (fd, bytes, count, room, flags, address, length))

/* Network interfaces: ops/sockets/interfaces_linux.c, preload/libc/interface_list_linux.c. */
#define LAYER_INTERFACE_LINUX_HOOKS(X) \
	X(int, getifaddrs, (struct ifaddrs **result), (result)) \
	X(struct if_nameindex *, if_nameindex, (void), ()) \
	X(unsigned int, if_nametoindex, (const char *name), (name)) \
	X(char *, if_indextoname, (unsigned int index, char *name), (index, name))

/* Names of hosts: preload/hooks_dns.c. */
#define LAYER_DNS_HOOKS(X) \
	X(int, getaddrinfo, (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result), \
	  (node, service, hints, result)) \
	X(int, getnameinfo, (const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length, \
			     char *service, socklen_t service_length, int flags), \
	  (address, length, host, host_length, service, service_length, flags)) \
	X(struct hostent *, gethostbyname, (const char *name), (name)) \
	X(struct hostent *, gethostbyname2, (const char *name, int family), (name, family)) \
	X(struct hostent *, gethostbyaddr, (const void *address, socklen_t length, int family), (address, length, family)) \
	X(int, gethostname, (char *into, size_t room), (into, room)) \
	X(int, uname, (struct utsname *names), (names))

#define LAYER_DNS_LINUX_HOOKS(X) \
	X(int, gethostbyname_r, (const char *name, struct hostent *host, char *buffer, size_t size, \
				 struct hostent **result, int *h_error), \
	  (name, host, buffer, size, result, h_error)) \
	X(int, gethostbyname2_r, (const char *name, int family, struct hostent *host, char *buffer, size_t size, \
				  struct hostent **result, int *h_error), \
	  (name, family, host, buffer, size, result, h_error)) \
	X(int, gethostbyaddr_r, (const void *address, socklen_t length, int family, struct hostent *host, char *buffer, \
				 size_t size, struct hostent **result, int *h_error), \
	  (address, length, family, host, buffer, size, result, h_error))

#define LAYER_DNS_GLIBC_HOOKS(X) \
	X(int, __gethostname_chk, (char *into, size_t room, size_t size), (into, room, size))

/* Asynchronous look-ups: preload/hooks_dns_glibc.c. */
#define LAYER_ADDRINFO_GLIBC_HOOKS(X) \
	X(int, getaddrinfo_a, (int mode, struct gaicb **list, int count, struct sigevent *event), (mode, list, count, event)) \
	X(int, gai_suspend, (const struct gaicb *const *list, int count, const struct timespec *timeout), \
	  (list, count, timeout)) \
	X(int, gai_cancel, (struct gaicb *block), (block))

/*
 * Questions to the name servers: preload/hooks_dns_glibc.c. By the names that every glibc exports, if only
 * for old programs.
 */
#define LAYER_RESOLVER_GLIBC_HOOKS(X) \
	X(int, __res_query, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(int, __res_search, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(int, __res_querydomain, (const char *name, const char *domain, int class, int type, unsigned char *answer, int size), \
	  (name, domain, class, type, answer, size)) \
	X(int, __res_send, (const unsigned char *query, int length, unsigned char *answer, int size), \
	  (query, length, answer, size)) \
	X(int, __res_nquery, (struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size), \
	  (state, name, class, type, answer, size)) \
	X(int, __res_nsearch, (struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size), \
	  (state, name, class, type, answer, size)) \
	X(int, __res_nquerydomain, (struct __res_state *state, const char *name, const char *domain, int class, int type, \
				     unsigned char *answer, int size), \
	  (state, name, domain, class, type, answer, size)) \
	X(int, __res_nsend, (struct __res_state *state, const unsigned char *query, int length, unsigned char *answer, int size), \
	  (state, query, length, answer, size))

/*
 * The same with musl, which has no state of its resolver: preload/hooks_dns_musl.c; and lists of addresses:
 * preload/libc/addrinfo_list_musl.c.
 */
#define LAYER_DNS_MUSL_HOOKS(X) \
	X(void, freeaddrinfo, (struct addrinfo *list), (list)) \
	X(int, res_query, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(int, res_search, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(int, res_querydomain, (const char *name, const char *domain, int class, int type, unsigned char *answer, int size), \
	  (name, domain, class, type, answer, size)) \
	X(int, res_send, (const unsigned char *query, int length, unsigned char *answer, int size), \
	  (query, length, answer, size))

/* Programs that are started: preload/hooks_processes_linux.c. */
#define LAYER_EXEC_HOOKS(X) \
	X(int, execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp)) \
	X(int, execv, (const char *path, char *const argv[]), (path, argv)) \
	X(int, execvp, (const char *file, char *const argv[]), (file, argv)) \
	X(int, posix_spawn, \
	  (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, \
	   char *const argv[], char *const envp[]), (pid, path, actions, attributes, argv, envp)) \
	X(int, posix_spawnp, \
	  (pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, \
	   char *const argv[], char *const envp[]), (pid, file, actions, attributes, argv, envp))

#define LAYER_EXEC_LINUX_HOOKS(X) \
	X(int, execvpe, (const char *file, char *const argv[], char *const envp[]), (file, argv, envp)) \
	X(int, fexecve, (int fd, char *const argv[], char *const envp[]), (fd, argv, envp))

/* What glibc exports and musl does not: there programs make them by syscall(2). */
#define LAYER_NUMBERED_HOOKS(X) \
	LAYER_FILES_NUMBERED_HOOKS(X) \
	X(int, close_range, (unsigned int first, unsigned int last, int flags), (first, last, flags)) \
	X(int, execveat, (int fd, const char *path, char *const argv[], char *const envp[], int flags), \
	  (fd, path, argv, envp, flags))

#define LAYER_OUTGOING_DARWIN_HOOKS(X) \
	X(int, connectx, (int fd, const struct sa_endpoints *ends, sae_associd_t association, unsigned int flags, \
			  const struct iovec *parts, unsigned int count, size_t *sent, sae_connid_t *connection), \
	  (fd, ends, association, flags, parts, count, sent, connection))

#define LAYER_EXEC_DARWIN_HOOKS(X) \
	X(int, execvP, (const char *file, const char *search, char *const argv[]), (file, search, argv)) \
	X(int, posix_spawn_file_actions_addopen, \
	  (posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode), \
	  (actions, fd, path, flags, mode)) \
	X(int, posix_spawn_file_actions_addchdir_np, (posix_spawn_file_actions_t *actions, const char *path), \
	  (actions, path)) \
	X(int, posix_spawn_file_actions_addfchdir_np, (posix_spawn_file_actions_t *actions, int fd), (actions, fd))

/* The shell of libc: preload/hooks_processes_linux.c. */
#define LAYER_SHELL_HOOKS(X) \
	X(int, system, (const char *command), (command)) \
	X(FILE *, popen, (const char *command, const char *mode), (command, mode)) \
	X(int, pclose, (FILE *file), (file))

/* The same with the arguments as a list, and what each comes to: X(type, name, call). */
#define LAYER_LIST_HOOKS(X) \
	X(int, execl, layer_execv(path, argv)) \
	X(int, execlp, layer_execvp(path, argv)) \
	X(int, execle, layer_execve(path, argv, va_arg(list, char **)))

/* What POSIX has, and so every platform. */
#define LAYER_POSIX_HOOKS(X) \
	LAYER_VARIADIC_HOOKS(X) \
	LAYER_SOCKET_HOOKS(X) \
	LAYER_OUTGOING_HOOKS(X) \
	LAYER_DNS_HOOKS(X) \
	LAYER_FILES_HOOKS(X) \
	LAYER_EXEC_HOOKS(X) \
	LAYER_SHELL_HOOKS(X)

/* What Linux adds, with glibc and with musl, or has with other parameters than Darwin. */
#ifdef __linux__
#define LAYER_LINUX_HOOKS(X) \
	LAYER_SOCKET_LINUX_HOOKS(X) \
	LAYER_OUTGOING_LINUX_HOOKS(X) \
	LAYER_INTERFACE_LINUX_HOOKS(X) \
	LAYER_DNS_LINUX_HOOKS(X) \
	LAYER_FILES_LINUX_HOOKS(X) \
	LAYER_EXEC_LINUX_HOOKS(X)
#else
#define LAYER_LINUX_HOOKS(X)
#endif

/* What Darwin adds: preload/darwin.c also has the other names of its calls. */
#ifdef __APPLE__
#define LAYER_DARWIN_HOOKS(X) \
	LAYER_FILES_DARWIN_HOOKS(X) \
	LAYER_OUTGOING_DARWIN_HOOKS(X) \
	LAYER_EXEC_DARWIN_HOOKS(X)
#else
#define LAYER_DARWIN_HOOKS(X)
#endif

/*
 * What one C library alone has. glibc: checked calls of fortified programs, old versions of calls, and calls
 * of its own.
 */
#ifdef __GLIBC__
#define LAYER_GLIBC_HOOKS(X) \
	LAYER_SOCKET_GLIBC_HOOKS(X) \
	LAYER_OUTGOING_GLIBC_HOOKS(X) \
	LAYER_DNS_GLIBC_HOOKS(X) \
	LAYER_RESOLVER_GLIBC_HOOKS(X) \
	LAYER_ADDRINFO_GLIBC_HOOKS(X) \
	LAYER_FILES_GLIBC_HOOKS(X) \
	LAYER_NUMBERED_HOOKS(X)
#define LAYER_MUSL_HOOKS(X)
#define LAYER_ALIASES(X) LAYER_GLIBC_ALIASES(X)
#define LAYER_FILES_ALIASES(X) LAYER_FILES_LINUX_ALIASES(X) LAYER_FILES_GLIBC_ALIASES(X)
#elif defined(__linux__)
#define LAYER_GLIBC_HOOKS(X)
#define LAYER_MUSL_HOOKS(X) \
	LAYER_DNS_MUSL_HOOKS(X) \
	LAYER_FILES_MUSL_HOOKS(X)
#define LAYER_ALIASES(X)
#define LAYER_FILES_ALIASES(X) LAYER_FILES_LINUX_ALIASES(X) LAYER_FILES_MUSL_ALIASES(X)
#else
#define LAYER_GLIBC_HOOKS(X)
#define LAYER_MUSL_HOOKS(X)
#define LAYER_ALIASES(X)
#define LAYER_FILES_ALIASES(X)
#endif

#define LAYER_HOOKS(X) \
	LAYER_POSIX_HOOKS(X) \
	LAYER_LINUX_HOOKS(X) \
	LAYER_DARWIN_HOOKS(X) \
	LAYER_GLIBC_HOOKS(X) \
	LAYER_MUSL_HOOKS(X)

/* Second names under which glibc exports a call of the list: X(alias, type, name, parameters, arguments). */
#define LAYER_GLIBC_ALIASES(X) \
	X(__connect, int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length)) \
	X(__close, int, close, (int fd), (fd)) \
	X(__dup2, int, dup2, (int from, int to), (from, to)) \
	X(__fcntl, int, fcntl, (int fd, int command, long argument), (fd, command, argument)) \
	X(res_query, int, __res_query, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(res_search, int, __res_search, (const char *name, int class, int type, unsigned char *answer, int size), \
	  (name, class, type, answer, size)) \
	X(res_querydomain, int, __res_querydomain, (const char *name, const char *domain, int class, int type, unsigned char *answer, int size), \
	  (name, domain, class, type, answer, size)) \
	X(res_send, int, __res_send, (const unsigned char *query, int length, unsigned char *answer, int size), \
	  (query, length, answer, size)) \
	X(res_nquery, int, __res_nquery, (struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size), \
	  (state, name, class, type, answer, size)) \
	X(res_nsearch, int, __res_nsearch, (struct __res_state *state, const char *name, int class, int type, unsigned char *answer, int size), \
	  (state, name, class, type, answer, size)) \
	X(res_nquerydomain, int, __res_nquerydomain, (struct __res_state *state, const char *name, const char *domain, int class, int type, \
				     unsigned char *answer, int size), \
	  (state, name, domain, class, type, answer, size)) \
	X(res_nsend, int, __res_nsend, (struct __res_state *state, const unsigned char *query, int length, unsigned char *answer, int size), \
	  (state, query, length, answer, size))

#define LAYER_DECLARE(type, name, parameters, arguments) \
	type layer_##name parameters; \
	type next_##name parameters;
LAYER_HOOKS(LAYER_DECLARE)
#if defined(__linux__) && !defined(__GLIBC__)
LAYER_NUMBERED_HOOKS(LAYER_DECLARE)
#endif
#undef LAYER_DECLARE

#endif
