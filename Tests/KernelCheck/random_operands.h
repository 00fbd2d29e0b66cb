/* SPDX-License-Identifier: Apache-2.0 */
/* Random operands for the checks of this folder. */
#ifndef RANDOM_OPERANDS_H
#define RANDOM_OPERANDS_H

#include "ckernels.h"

#include <stdlib.h>

static uint64_t state;

/* Uniform (SplitMix64). */
static uint64_t next(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void *take(size_t size) {
    void *block = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!block)
        exit(71);
    return block;
}

static ck_tensor tensor(ptrdiff_t rows, ptrdiff_t columns) {
    ck_tensor t = {take((size_t)(rows * columns) * sizeof(float)), rows,
                   columns};
    for (ptrdiff_t i = 0; i < rows * columns; i++)
        t.data[i] = (float)(next() >> 40) / (float)(1 << 23) - 1;
    return t;
}

#endif
