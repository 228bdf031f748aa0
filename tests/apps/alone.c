/*
 * A program without any library, so without a dynamic linker: nothing can be preloaded into it. Built with
 * -static -nostdlib.
 */
void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(231), "D"(0));
#else
	register long x8 __asm__("x8") = 94;
	register long x0 __asm__("x0") = 0;

	__asm__ volatile("svc 0" : : "r"(x8), "r"(x0));
#endif
	for (;;)
		;
}
