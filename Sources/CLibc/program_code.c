/* SPDX-License-Identifier: Apache-2.0 */
#include "clibc.h"

#include <stdint.h>
#include <sys/mman.h>

/* The linker's names for the begin and the end of the code. */
extern const char __executable_start[], etext[];

void clibc_give_back_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)__executable_start / page * page;
    uintptr_t end = (uintptr_t)etext / page * page;
    if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
}
