/* The lock of sys.h, out of words that the platform lets threads wait for. */
#include <stdatomic.h>

#include "sys.h"

bool sys_try_lock(_Atomic(uint32_t) *word)
{
	uint32_t seen = 0;

	return atomic_compare_exchange_strong(word, &seen, 1);
}

/* The three-state lock of futex(2)'s example: a free lock costs no system call. */
void sys_lock(_Atomic(uint32_t) *word)
{
	if (sys_try_lock(word))
		return;
	while (atomic_exchange(word, 2) != 0)
		sys_wait_word(word, 2, -1);
}

void sys_unlock(_Atomic(uint32_t) *word)
{
	if (atomic_exchange(word, 0) == 2)
		sys_wake_word(word);
}
