/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for x86-64 with AVX2, FMA and F16C. */
#include "kernels.h"

#if defined(__x86_64__)

#include <immintrin.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))),         \
                             apply_to = function)

#define SET_NAME "avx2"
#define FEW_TOKENS 4
#define FEW_TOKENS_INT8 3
#include "simd_avx2.h"
#include "instruction_set.inc.h"

#pragma clang attribute pop

const ck_kernels *const ck_kernels_avx2 = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_avx2 = NULL;
#endif
