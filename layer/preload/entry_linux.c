/*
 * The layer's file run as a program: core/net/linux/traced.ts starts the app through it. It lets its parent
 * trace it and becomes the program that its first argument names, so the parent sees that program before it
 * runs an instruction. No dynamic linker has run here: raw system calls and the stack only. It exits with the
 * errno of execve(2), or with WIRE_UNTRACED_CODE where no process may be traced.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "../sys/raw.h"
#include "../wire.h"

#if defined(__x86_64__)
__asm__(".text\n"
	".globl layer_entry\n"
	".hidden layer_entry\n"
	".type layer_entry, @function\n"
	"layer_entry:\n"
	"	xorl %ebp, %ebp\n"
	"	movq %rsp, %rdi\n"
	"	andq $-16, %rsp\n"
	"	call layer_entry_main\n"
	"	hlt\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	".globl layer_entry\n"
	".hidden layer_entry\n"
	".type layer_entry, %function\n"
	"layer_entry:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	bl layer_entry_main\n");
#endif

/* The stack as the kernel leaves it: argc, argv, NULL, envp, NULL (elf(5)). */
__attribute__((used, noreturn, no_stack_protector, visibility("hidden"))) void layer_entry_main(long *stack)
{
	char **argv = (char **)(stack + 1), **envp = argv + stack[0] + 1;
	long status = WIRE_UNTRACED_CODE;

	/*
	 * Nobody would ever start it again if its parent were gone; the layer sets a milder signal
	 * (sys_die_with).
	 */
	RAW(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	if (RAW(SYS_ptrace, PTRACE_TRACEME) == 0)
		status = -RAW(SYS_execve, argv[0], argv, envp);
	for (;;)
		RAW(SYS_exit_group, status);
}
