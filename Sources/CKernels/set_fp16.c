/* SPDX-License-Identifier: Apache-2.0 */
/* The products of many tokens for AArch64 with arithmetic in half precision
 * (Armv8.2 and later, where a processor has it), for who prefers speed to
 * unrounded activations and sums. Weights that go without pairs have the same
 * sums as in the next best set, and all other work is done by that. */
#include "kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(__attribute__((target("fullfp16"))),              \
                             apply_to = function)

#include "simd_neon.h"

/* All rows of a tile in a panel: its tokens are rounded once. */
#undef FLOAT_VECTORS
#undef FLOAT_TOKENS
#define FLOAT_VECTORS 8
#define FLOAT_TOKENS 2

/* The products of even and of odd columns are summed in halves, and at the end
 * of a panel in f32. Twice as many words double the variance of the error. */
#define PAIR_TYPE CK_F16
enum { PAIR_DEPTH = 32 /* words of pairs per panel */ };

/* 2 * LANES values, rounded to nearest even; from 65,520 they are infinite. */
INLINE vf pairs_of(vf low, vf high) {
    return (vf)vcvt_high_f16_f32(vcvt_f16_f32((float32x4_t)low),
                                 (float32x4_t)high);
}

INLINE vf add_pairs(vf sums, vi x, vf w) {
    return (vf)vfmaq_f16((float16x8_t)sums, (float16x8_t)x, (float16x8_t)w);
}

INLINE vf sums_of_pairs(vf sums) {
    float16x8_t halves = (float16x8_t)sums;
    return (vf)vpaddq_f32(vcvt_f32_f16(vget_low_f16(halves)),
                          vcvt_high_f32_f16(halves));
}

#include "blocks.inc.h"
#include "weights.inc.h"
#include "tiles.inc.h"
#include "matmul_packed.inc.h"

#pragma clang attribute pop

static const ck_kernels kernels_of_this_set = {
    .name = "neon-fp16",
    .must_be_named = 1,
    .few_tokens = 4,
    .few_tokens_int8 = 3,
    .matmul_packed = matmul_packed,
};
const ck_kernels *const ck_kernels_fp16 = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_fp16 = NULL;
#endif
