/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of x86-64 with AVX2, FMA and F16C. */
#include <immintrin.h>

#define LANES 8
#include "vector.inc.h"

/* ---- Half precision ---- */

INLINE vf load_f16(const void *p) {
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128(p));
}

/* out = halves * x */
INLINE void scale_products(half8 halves, const float x[8], float out[8]) {
    __m256 values = _mm256_cvtph_ps((__m128i)halves);
    _mm256_storeu_ps(out, _mm256_mul_ps(values, _mm256_loadu_ps(x)));
}

INLINE float f16_value(uint16_t bits) { return _cvtsh_ss(bits); }

/*
 * Sums of four products of bytes in each lane. Pairs are added in 16 bits:
 * 2 * 128 * 127 fits, as activations are at least -127.
 */
INLINE __m256i byte_products(__m256i w, __m256i x) {
    __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/* ---- Bytes: one block of 32 along a row ---- */

typedef vf dot_float;
typedef __m256i block_input;

#include "simd_avx_blocks.h"

INLINE block_input load_input(const int type, const int8_t *values) {
    (void)type;
    return load_bytes(values);
}

INLINE dot_float block_dot(const int type, const uint8_t *quants,
                           block_input x) {
    __m256i w = type == CK_Q8_0 ? load_q8(quants) : load_q4(quants);
    return (dot_float)_mm256_cvtepi32_ps(byte_products(w, x));
}

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: four per lane ---- */

#define PACKED_OFFSET 0

INLINE vi dot4(vi sum, vi w, int32_t x) {
    return sum + (vi)byte_products((__m256i)w, _mm256_set1_epi32(x));
}

/* ---- Shapes of register tiles: 16 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 6
#define INT8_VECTORS 1
#define INT8_TOKENS 4
