/* SPDX-License-Identifier: Apache-2.0 */
#include "clibc.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

/* Of the program and of each library it gives back what nobody can write. */
static int give_back(struct dl_phdr_info *object, size_t size, void *unused) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)unused;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = (begin + segment->p_memsz) / page * page;
        begin = begin / page * page;
        if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
    }
    return 0;
}

void clibc_give_back_start(void) {
    dl_iterate_phdr(give_back, NULL);
    malloc_trim(0);
}
