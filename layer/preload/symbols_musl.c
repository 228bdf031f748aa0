/* musl has one namespace and one order of symbols (symbols_linux.c). */
#include "symbols.h"

int symbols_open_flags(int flags)
{
	return flags;
}
