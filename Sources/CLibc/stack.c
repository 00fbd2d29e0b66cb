/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of the first thread, which grows as it is used. */
#include "clibc.h"
#include <stdint.h>

enum { STACK_BYTES = 512 << 10, PAGE_BYTES = 4096 };

__attribute__((noinline)) void clibc_grow_stack(void) {
    volatile char room[STACK_BYTES];
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    /* From the end that is next to what is in use, as a stack grows. */
    for (size_t i = sizeof room; i >= PAGE_BYTES; i -= PAGE_BYTES)
        room[i - 1] = 0;
    uintptr_t begin = ((uintptr_t)room + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)room + sizeof room) / page * page;
    madvise((void *)begin, end - begin, MADV_DONTNEED);
}
