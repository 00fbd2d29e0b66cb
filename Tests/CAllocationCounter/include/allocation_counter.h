/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the heap allocations of the process: this target defines malloc and
 * its siblings over glibc's own, so a test program that links it counts every
 * allocation of Swift, C and libraries alike.
 */
#ifndef OCELLUS_ALLOCATION_COUNTER_H
#define OCELLUS_ALLOCATION_COUNTER_H

/*
 * The count of allocations of the calling thread and of those that it started,
 * such as the ones that kernels share their work among.
 */
long allocation_count(void);

#endif
