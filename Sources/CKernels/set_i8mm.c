/* SPDX-License-Identifier: Apache-2.0 */
/* The products of many tokens for AArch64 with those of 2 x 8 by 8 x 2 bytes
 * (Armv8.6); all else is as with dot products alone. */
#include "kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))),          \
                             apply_to = function)

#define HAS_DOTPROD 1
#define HAS_I8MM 1
#include "simd_neon.h"
#include "int8_products.inc.h"

#pragma clang attribute pop

static const ck_kernels kernels_of_this_set = {
    .name = "neon-i8mm",
    .few_tokens = 4,
    .few_tokens_int8 = 3,
    .quantize_tiles = quantize_tiles,
    .matmul_int8_packed = matmul_int8_packed,
};
const ck_kernels *const ck_kernels_i8mm = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_i8mm = NULL;
#endif
