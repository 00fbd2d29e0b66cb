/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for x86-64 with AVX-512 and VNNI. */
#include "kernels.h"

#if defined(__x86_64__)

#include <immintrin.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(                                                  \
    __attribute__((target(                                                     \
        "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))),      \
    apply_to = function)

#define SET_NAME "avx512-vnni"
#define FEW_TOKENS 4
#define FEW_TOKENS_INT8 3
#include "simd_avx512.h"
#include "instruction_set.inc.h"

#pragma clang attribute pop

const ck_kernels *const ck_kernels_avx512 = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_avx512 = NULL;
#endif
