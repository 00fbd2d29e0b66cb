/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of x86-64 with AVX2, FMA and F16C. */
#include <immintrin.h>

#define LANES 8
#include "vector.inc.h"

/* ---- Half precision ---- */

INLINE vf load_f16(const void *p) {
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128(p));
}

INLINE float f16_value(uint16_t bits) { return _cvtsh_ss(bits); }

/*
 * Sums of four products of bytes in each lane. Pairs are added in 16 bits:
 * 2 * 128 * 127 fits, as activations are at least -127.
 */
INLINE __m256i byte_products(__m256i magnitude, __m256i value, __m256i x) {
    __m256i pairs =
        _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(x, value));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/* ---- Bytes: one block of 32 along a row ---- */

#define DOT_LANES 8
typedef vf dot_float;
typedef struct {
    __m256i magnitude, value;
} weight_block;

#include "simd_avx_blocks.h"

INLINE dot_float block_dot(weight_block w, const int8_t *x) {
    return (dot_float)_mm256_cvtepi32_ps(
        byte_products(w.magnitude, w.value, load_bytes(x)));
}

/* ---- Bytes: four per lane ---- */

#define PACKED_OFFSET 0

INLINE vi dot4(vi sum, vi w, int32_t x) {
    return sum + (vi)byte_products(_mm256_abs_epi8((__m256i)w), (__m256i)w,
                                   _mm256_set1_epi32(x));
}

/* ---- Shapes of register tiles: 16 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 6
#define INT8_VECTORS 1
#define INT8_TOKENS 4
