/* SPDX-License-Identifier: Apache-2.0 */
/* The products of many tokens for x86-64 with those of pairs in bf16, for who
 * prefers speed to unrounded activations; all else is as with AVX-512 and VNNI
 * alone. */
#include "kernels.h"

#if defined(__x86_64__)

#include <immintrin.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(                                                  \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,"  \
                          "avx512vnni,avx512bf16"))),                          \
    apply_to = function)

#include "simd_avx512.h"

#define PAIR_TYPE CK_BF16
enum { PAIR_DEPTH = 128 /* words of pairs per panel */ };

/* 2 * LANES values, rounded to nearest even; subnormals are zeros. */
INLINE vf pairs_of(vf low, vf high) {
    return (vf)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}

INLINE vf add_pairs(vf sums, vi x, vf w) {
    return (vf)_mm512_dpbf16_ps((__m512)sums, (__m512bh)x, (__m512bh)w);
}

INLINE vf sums_of_pairs(vf sums) { return sums; }

#include "blocks.inc.h"
#include "weights.inc.h"
#include "tiles.inc.h"
#include "matmul_packed.inc.h"

#pragma clang attribute pop

static const ck_kernels kernels_of_this_set = {
    .name = "avx512-bf16",
    .must_be_named = 1,
    .few_tokens = 4,
    .few_tokens_int8 = 3,
    .matmul_packed = matmul_packed,
};
const ck_kernels *const ck_kernels_avx512bf16 = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_avx512bf16 = NULL;
#endif
