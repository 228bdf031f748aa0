/*
 * The hook for Go programs. Their runtime enters the kernel by instructions of its own, also where cgo links
 * the C library, so no hook of a libc call ever runs. But nearly all of it, and all that the standard library
 * does, goes through one small function, internal/runtime/syscall.Syscall6, whose machine code is the same
 * since Go 1.19 and needs no symbol to be found. Before the runtime starts, that function is made to begin
 * with a jump to here (objects_linux.c).
 * The invariants: C never runs on a goroutine's stack, which is too small for it; a call that is not the
 * layer's goes to the kernel with the registers that Go's own function would have used. A Go program without
 * the C library, or with another such function, is not changed: the session refuses to start one
 * (core/launch/go_program.ts).
 */
#include "go.h"

#if defined(__x86_64__)

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "syscalls.h"
#include "../sys/raw.h"

/* Room for the ops; touched pages only cost memory. A Go program has few threads, and they rarely end. */
#define GO_STACK_BYTES 262144
#define PAGE_BYTES 4096

#define GO_TEXT_(value) #value
#define GO_TEXT(value) GO_TEXT_(value)

/* The top of this thread's stack for C, 0 while it has none; and whether it is in use. */
__attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local unsigned long layer_go_stack;
__attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local char layer_go_busy;

#define GO_NUMBERS 512
#define GO_MARK(number, call) [number] = 1,
__attribute__((visibility("hidden"))) const char layer_go_routed[GO_NUMBERS] = { SYSCALLS(GO_MARK) };

/* A call of the list. Its result or -errno, as the kernel gives it. */
__attribute__((visibility("hidden"), used)) long layer_go_call(long number, long a, long b, long c, long d, long e, long f)
{
	const long arguments[6] = { a, b, c, d, e, f };
	long result;

	/*
	 * An exec does not come back, and a child made by vfork shares this memory: its parent must find the
	 * stack free.
	 */
	if (number == SYS_execve || number == SYS_execveat)
		layer_go_busy = 0;
	if (!syscalls_call(number, arguments, &result))
		return RAW(number, a, b, c, d, e, f);
	return result < 0 ? -errno : result;
}

/*
 * Takes the place of Syscall6(num, a1..a6) (r1, r2, errno), which has its arguments in ax, bx, cx, di, si, r8
 * and r9 and its results in ax, bx and cx; r14 and a zero x15 belong to Go (its ABIInternal). A thread's
 * first call makes its stack; a call from a signal handler that interrupted one of the layer's finds the
 * stack in use and goes to the kernel.
 */
void layer_go_entry(void);
__asm__(".text\n"
	".p2align 4\n"
	".hidden layer_go_entry\n"
	".globl layer_go_entry\n"
	".type layer_go_entry, @function\n"
	"layer_go_entry:\n"
	"	cmpq $" GO_TEXT(GO_NUMBERS) ", %rax\n"
	"	jae 1f\n"
	"	leaq layer_go_routed(%rip), %r11\n"
	"	cmpb $0, (%r11,%rax)\n"
	"	jne 2f\n"
	/* The kernel. */
	"1:	movq %rsi, %r10\n"
	"	movq %rdi, %rdx\n"
	"	movq %rcx, %rsi\n"
	"	movq %rbx, %rdi\n"
	"	syscall\n"
	"	jmp 5f\n"
	"2:	movq layer_go_busy@gottpoff(%rip), %r11\n"
	"	cmpb $0, %fs:(%r11)\n"
	"	jne 1b\n"
	"	movq layer_go_stack@gottpoff(%rip), %r11\n"
	"	movq %fs:(%r11), %r11\n"
	"	testq %r11, %r11\n"
	"	je 4f\n"
	/* The layer, on the stack of its own. */
	"3:	pushq %rbp\n"
	"	movq %rsp, %rbp\n"
	"	movq %r11, %rsp\n"
	"	movq layer_go_busy@gottpoff(%rip), %r11\n"
	"	movb $1, %fs:(%r11)\n"
	"	subq $8, %rsp\n"
	"	pushq %r9\n"
	"	movq %r8, %r9\n"
	"	movq %rsi, %r8\n"
	"	movq %rcx, %rdx\n"
	"	movq %rdi, %rcx\n"
	"	movq %rbx, %rsi\n"
	"	movq %rax, %rdi\n"
	"	call layer_go_call\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	"	movq layer_go_busy@gottpoff(%rip), %r11\n"
	"	movb $0, %fs:(%r11)\n"
	"	xorps %xmm15, %xmm15\n"
	"	xorl %edx, %edx\n"
	"5:	cmpq $-4095, %rax\n"
	"	jae 6f\n"
	"	movq %rdx, %rbx\n"
	"	xorl %ecx, %ecx\n"
	"	ret\n"
	"6:	negq %rax\n"
	"	movq %rax, %rcx\n"
	"	movq $-1, %rax\n"
	"	xorl %ebx, %ebx\n"
	"	ret\n"
	/* mmap(2): a stack; without one, the kernel. */
	"4:	pushq %rax\n"
	"	pushq %rcx\n"
	"	pushq %rdi\n"
	"	pushq %rsi\n"
	"	pushq %r8\n"
	"	pushq %r9\n"
	"	movl $9, %eax\n"
	"	xorl %edi, %edi\n"
	"	movl $" GO_TEXT(GO_STACK_BYTES) ", %esi\n"
	"	movl $3, %edx\n" /* PROT_READ | PROT_WRITE */
	"	movl $0x4022, %r10d\n" /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE */
	"	movq $-1, %r8\n"
	"	xorl %r9d, %r9d\n"
	"	syscall\n"
	"	leaq " GO_TEXT(GO_STACK_BYTES) "(%rax), %r11\n"
	"	movq %rax, %rdx\n"
	"	popq %r9\n"
	"	popq %r8\n"
	"	popq %rsi\n"
	"	popq %rdi\n"
	"	popq %rcx\n"
	"	popq %rax\n"
	"	cmpq $-4095, %rdx\n"
	"	jae 1b\n"
	"	movq layer_go_stack@gottpoff(%rip), %rdx\n"
	"	movq %r11, %fs:(%rdx)\n"
	"	jmp 3b\n"
	".size layer_go_entry, . - layer_go_entry\n");

/* Syscall6 up to and with the look at the result. */
static const unsigned char syscall6[] = {
	0x49, 0x89, 0xf2, /* movq si, r10 */
	0x48, 0x89, 0xfa, /* movq di, dx */
	0x48, 0x89, 0xce, /* movq cx, si */
	0x48, 0x89, 0xdf, /* movq bx, di */
	0x0f, 0x05, /* syscall */
	0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, /* cmpq ax, $-4095 */
};

/* jmp *(%rip), then the address: as long as what it replaces up to the result's look. */
struct jump {
	unsigned char code[6];
	void (*to)(void);
} __attribute__((packed));
_Static_assert(sizeof(struct jump) <= sizeof(syscall6), "the jump fits into the function");

/*
 * cgo starts threads by libc: without that their thread pointer is Go's own, and libc cannot be called on
 * them. The name may be the end of a longer one of cgo's in the table of strings.
 */
static bool uses_threads_of_libc(const ElfW(Dyn) *dynamic)
{
	static const char name[] = "pthread_create";
	const char *strings = NULL;
	size_t size = 0;

	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_STRTAB)
			strings = (const char *)dynamic->d_un.d_ptr;
		if (dynamic->d_tag == DT_STRSZ)
			size = dynamic->d_un.d_val;
	}
	return strings && memmem(strings, size, name, sizeof(name));
}

static bool redirect(unsigned char *function)
{
	struct jump jump = { .code = { 0xff, 0x25, 0, 0, 0, 0 }, .to = layer_go_entry };
	unsigned char *page = (unsigned char *)((uintptr_t)function & ~(uintptr_t)(PAGE_BYTES - 1));
	size_t length = (size_t)(function + sizeof(jump) - page);

	if (RAW(SYS_mprotect, page, length, PROT_READ | PROT_WRITE) < 0)
		return false;
	memcpy(function, &jump, sizeof(jump));
	RAW(SYS_mprotect, page, length, PROT_READ | PROT_EXEC);
	return true;
}

bool go_lead(const struct image *image)
{
	const ElfW(Phdr) *dynamic = image_part(image, PT_DYNAMIC);
	unsigned char *found;

	if (!dynamic || !uses_threads_of_libc((const ElfW(Dyn) *)(image->address + dynamic->p_vaddr)))
		return false;
	for (size_t i = 0; i < image->count; i++) {
		const ElfW(Phdr) *part = &image->parts[i];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		found = memmem((void *)(image->address + part->p_vaddr), part->p_filesz, syscall6, sizeof(syscall6));
		if (found)
			return redirect(found);
	}
	return false;
}

#else

bool go_lead(const struct image *image)
{
	(void)image;
	return false;
}

#endif
