/*
 * Where the compiled binary starts, before the runtime that `deno compile` puts in: that one ends in a panic
 * when an argument, its own name or TMPDIR is not UTF-8. Such texts are written here as core/base/os_text.ts
 * writes them, and read back by it: every byte that is not part of a character as one of U+10FF80 to
 * U+10FFFF, and so are the bytes of these characters. `mirrord agent` also becomes one that a target can
 * neither look into nor hold up (see guard_agent), before it has threads. Put in by scripts/build_entry.ts.
 * The invariants: one section without relocations, no libc, no stack beyond a page; the runtime finds its
 * registers and its stack as the dynamic linker left them.
 */

/* `displacement` is filled in: from `entry` to where the runtime starts. */
#if defined(__x86_64__)
__asm__(".text\n"
	"entry:\n"
	"	pushq %rdx\n" /* what atexit(3) is to call, from the dynamic linker */
	"	pushq %rdx\n"
	"	leaq 16(%rsp), %rdi\n"
	"	call entry_texts\n"
	"	popq %rdx\n"
	"	popq %rdx\n"
	"	leaq entry(%rip), %rax\n"
	"	addq displacement(%rip), %rax\n"
	"	jmpq *%rax\n"
	".p2align 3\n"
	"displacement:\n"
	"	.quad 0\n"
	"oom_file:\n"
	"	.asciz \"/proc/self/oom_score_adj\"\n"
	".p2align 4\n");
#elif defined(__aarch64__)
__asm__(".text\n"
	"entry:\n"
	"	stp x0, x30, [sp, #-16]!\n" /* as above */
	"	add x0, sp, #16\n"
	"	bl entry_texts\n"
	"	ldp x0, x30, [sp], #16\n"
	"	adr x16, entry\n"
	"	ldr x17, displacement\n"
	"	add x16, x16, x17\n"
	"	br x16\n"
	".p2align 3\n"
	"displacement:\n"
	"	.quad 0\n"
	"oom_file:\n"
	"	.asciz \"/proc/self/oom_score_adj\"\n"
	".p2align 4\n");
#endif

/* Bytes of a character that is written for one byte. */
#define ESCAPE_BYTES 4
#define PAGE_BYTES 4096

typedef unsigned char byte;

/* syscalls(2). */
#if defined(__x86_64__)
enum { CALL_WRITE = 1, CALL_CLOSE = 3, CALL_MMAP = 9, CALL_GETEUID = 107, CALL_SETRESUID = 117, CALL_SETFSUID = 122,
	CALL_CAPGET = 125, CALL_CAPSET = 126, CALL_PRCTL = 157, CALL_OPENAT = 257 };
#elif defined(__aarch64__)
enum { CALL_OPENAT = 56, CALL_CLOSE = 57, CALL_WRITE = 64, CALL_CAPGET = 90, CALL_CAPSET = 91, CALL_SETRESUID = 147,
	CALL_SETFSUID = 151, CALL_PRCTL = 167, CALL_GETEUID = 175, CALL_MMAP = 222 };
#endif

/* A system call; a negative errno, as the kernel gives it, when it fails. */
static inline long call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long fourth __asm__("r10") = d, none __asm__("r8") = -1, zero __asm__("r9") = 0;
	long result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(none), "r"(zero)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long called __asm__("x8") = number, result __asm__("x0") = a, second __asm__("x1") = b;
	register long third __asm__("x2") = c, fourth __asm__("x3") = d, none __asm__("x4") = -1;
	register long zero __asm__("x5") = 0;

	__asm__ volatile("svc 0"
			 : "+r"(result)
			 : "r"(called), "r"(second), "r"(third), "r"(fourth), "r"(none), "r"(zero)
			 : "memory");
	return result;
#endif
}

/* mmap(2): private memory of `size` bytes; a negative errno without. */
static inline long map(unsigned long size)
{
	return call(CALL_MMAP, 0, (long)size, 3, 0x22);
}

static inline const char *oom_file(void)
{
	const char *name;

#if defined(__x86_64__)
	__asm__("leaq oom_file(%%rip), %0" : "=r"(name));
#elif defined(__aarch64__)
	__asm__("adr %0, oom_file" : "=r"(name));
#endif
	return name;
}

static inline int is_next(byte one)
{
	return (one & 0xc0) == 0x80;
}

/*
 * How many bytes the character at `at` has (RFC 3629, 4); 0 where none begins, and for those that stand for
 * bytes.
 */
static unsigned long character(const byte *at)
{
	byte lead = at[0];

	if (lead < 0x80)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || !is_next(at[1]))
		return 0;
	if (lead < 0xe0)
		return 2;
	if (!is_next(at[2]))
		return 0;
	if (lead < 0xf0)
		return (lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ? 0 : 3;
	if (!is_next(at[3]) || (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
		return 0;
	return lead == 0xf4 && at[1] == 0x8f && at[2] >= 0xbe ? 0 : 4;
}

static byte *escape(byte one, byte *into)
{
	*into++ = 0xf4;
	*into++ = 0x8f;
	*into++ = (byte)(0xbe | (one >> 6 & 1));
	*into++ = (byte)(0x80 | (one & 0x3f));
	return into;
}

static char *written(char *text)
{
	const byte *at = (const byte *)text;
	unsigned long size = 1, length;
	byte *copy, *into;
	long memory;
	int plain = 1;

	for (; *at; at += length ? length : 1) {
		length = character(at);
		size += length ? length : ESCAPE_BYTES;
		if (!length)
			plain = 0;
	}
	if (plain)
		return text;
	memory = map(size);
	if (memory < 0 && memory > -PAGE_BYTES)
		return text;
	copy = into = (byte *)memory;
	for (at = (const byte *)text; *at;) {
		length = character(at);
		if (length == 0)
			into = escape(*at++, into);
		for (; length > 0; length--)
			*into++ = *at++;
	}
	*into = 0;
	return (char *)copy;
}

static int is_temporary(const char *one)
{
	return one[0] == 'T' && one[1] == 'M' && one[2] == 'P' && one[3] == 'D' && one[4] == 'I' && one[5] == 'R' &&
	       one[6] == '=';
}

static int is_agent(const char *one)
{
	return one[0] == 'a' && one[1] == 'g' && one[2] == 'e' && one[3] == 'n' && one[4] == 't' && one[5] == 0;
}

/* prctl(2), capget(2), getauxval(3) */
enum { SET_DUMPABLE = 4, SET_KEEPCAPS = 8, CAPABILITY_VERSION = 0x20080522, AUX_RANDOM = 25 };
enum { HERE = -100, WRITE_ONLY = 1, FIRST_USER = 20000, USERS = 40000 };

struct capabilities {
	unsigned int effective, permitted, inheritable;
};

/*
 * A user that runs nothing else, as far as is known: used by chance alone, and mapped where a container
 * maps 65,536.
 */
static unsigned long unused_user(const unsigned long *auxiliary)
{
	for (; auxiliary[0]; auxiliary += 2)
		if (auxiliary[0] == AUX_RANDOM)
			return FIRST_USER + *(const unsigned short *)auxiliary[1] % USERS;
	return FIRST_USER;
}

/*
 * Nobody without SYS_PTRACE reads, writes or traces this process from here on (PR_SET_DUMPABLE), and when
 * memory runs out in the pod it dies first. As root it becomes a user of its own, with root's capabilities,
 * so that a root of the target without KILL, SETUID and SYS_NICE cannot signal it or limit it either
 * (kill(2), prlimit(2), sched_setaffinity(2)). What decides over files stays root's. Without the right to
 * change users (SETUID) it stays root.
 */
static void guard_agent(const unsigned long *auxiliary)
{
	unsigned int header[2];
	struct capabilities sets[2];
	unsigned long user = unused_user(auxiliary), score = 0x30303031; /* "1000" */
	long file = call(CALL_OPENAT, HERE, (long)oom_file(), WRITE_ONLY, 0);
	int index;

	if (file >= 0) {
		call(CALL_WRITE, file, (long)&score, 4, 0);
		call(CALL_CLOSE, file, 0, 0, 0);
	}
	call(CALL_PRCTL, SET_DUMPABLE, 0, 0, 0);
	if (call(CALL_GETEUID, 0, 0, 0, 0) != 0)
		return;
	call(CALL_PRCTL, SET_KEEPCAPS, 1, 0, 0);
	if (call(CALL_SETRESUID, (long)user, (long)user, (long)user, 0) == 0) {
		header[0] = CAPABILITY_VERSION;
		header[1] = 0;
		if (call(CALL_CAPGET, (long)header, (long)sets, 0, 0) == 0) {
			for (index = 0; index < 2; index++)
				sets[index].effective = sets[index].permitted;
			call(CALL_CAPSET, (long)header, (long)sets, 0, 0);
		}
		call(CALL_SETFSUID, 0, 0, 0, 0);
		call(CALL_PRCTL, SET_DUMPABLE, 0, 0, 0);
	}
	call(CALL_PRCTL, SET_KEEPCAPS, 0, 0, 0);
}

/* `stack`: the number of arguments, their pointers, 0, those of the variables, 0, the auxiliary vector. */
__attribute__((used)) static void entry_texts(long *stack)
{
	char **text = (char **)(stack + 1);
	int agent = stack[0] > 1 && is_agent(text[1]);

	for (; *text; text++)
		*text = written(*text);
	for (text++; *text; text++)
		if (is_temporary(*text))
			*text = written(*text);
	if (agent)
		guard_agent((const unsigned long *)(text + 1));
}
