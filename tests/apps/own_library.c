/*
 * A library that needs no C library and connects by a system call of its own. Linked with -nostdlib by
 * tests/layer/late_test.ts.
 */
#if defined(__x86_64__)
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}
#define CONNECT 42
#else
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#define CONNECT 203
#endif

int own_connect(int fd, const void *address, unsigned int length)
{
	return (int)call(CONNECT, fd, (long)address, length);
}
