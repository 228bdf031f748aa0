/* The finder of thread variables: its argument is the descriptor, and every register but the result stays. */
	.text
	.global macho_thread_variable
	.type macho_thread_variable, %function
macho_thread_variable:
#if defined(__x86_64__)
	push %rbp
	mov %rsp, %rbp
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	and $-16, %rsp
	sub $256, %rsp
	movups %xmm0, (%rsp)
	movups %xmm1, 16(%rsp)
	movups %xmm2, 32(%rsp)
	movups %xmm3, 48(%rsp)
	movups %xmm4, 64(%rsp)
	movups %xmm5, 80(%rsp)
	movups %xmm6, 96(%rsp)
	movups %xmm7, 112(%rsp)
	mov -32(%rbp), %rdi
	mov 8(%rdi), %rdi
	call macho_thread_copy
	mov -32(%rbp), %rdi
	add 16(%rdi), %rax
	movups (%rsp), %xmm0
	movups 16(%rsp), %xmm1
	movups 32(%rsp), %xmm2
	movups 48(%rsp), %xmm3
	movups 64(%rsp), %xmm4
	movups 80(%rsp), %xmm5
	movups 96(%rsp), %xmm6
	movups 112(%rsp), %xmm7
	lea -64(%rbp), %rsp
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbp
	ret
#elif defined(__aarch64__)
	stp x29, x30, [sp, #-160]!
	stp x1, x2, [sp, #16]
	stp x3, x4, [sp, #32]
	stp x5, x6, [sp, #48]
	stp x7, x8, [sp, #64]
	stp x9, x10, [sp, #80]
	stp x11, x12, [sp, #96]
	stp x13, x14, [sp, #112]
	stp x15, x16, [sp, #128]
	stp x17, x0, [sp, #144]
	sub sp, sp, #256
	stp q0, q1, [sp]
	stp q2, q3, [sp, #32]
	stp q4, q5, [sp, #64]
	stp q6, q7, [sp, #96]
	ldr x0, [x0, #8]
	bl macho_thread_copy
	ldr x1, [sp, #408]
	ldr x1, [x1, #16]
	add x0, x0, x1
	ldp q0, q1, [sp]
	ldp q2, q3, [sp, #32]
	ldp q4, q5, [sp, #64]
	ldp q6, q7, [sp, #96]
	add sp, sp, #256
	ldp x1, x2, [sp, #16]
	ldp x3, x4, [sp, #32]
	ldp x5, x6, [sp, #48]
	ldp x7, x8, [sp, #64]
	ldp x9, x10, [sp, #80]
	ldp x11, x12, [sp, #96]
	ldp x13, x14, [sp, #112]
	ldp x15, x16, [sp, #128]
	ldr x17, [sp, #144]
	ldp x29, x30, [sp], #160
	ret
#endif
	.section .note.GNU-stack, "", %progbits
