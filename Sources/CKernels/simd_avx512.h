/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of x86-64 with AVX-512 and VNNI. */
#include <immintrin.h>

#define LANES 16
#include "vector.inc.h"

/* ---- Half precision ---- */

INLINE vf load_f16(const void *p) {
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256(p));
}

/* out = halves * x */
INLINE void scale_products(half8 halves, const float x[8], float out[8]) {
    __m256 values = _mm256_cvtph_ps((__m128i)halves);
    _mm256_storeu_ps(out, _mm256_mul_ps(values, _mm256_loadu_ps(x)));
}

INLINE float f16_value(uint16_t bits) { return _cvtsh_ss(bits); }

/* ---- Bytes: one part of 32 along a row ---- */

/* Half a register: three ports of an Intel core take these, two the whole. */
typedef float dot_float __attribute__((vector_size(32)));
typedef struct {
    __m256i bytes;
    __m256i offset; /* what the zero of the weights adds, negated */
} block_input;

INLINE block_input load_input(const int zero, const int8_t *values) {
    __m256i bytes = (__m256i)load_bytes(values), none = _mm256_setzero_si256();
    __m256i unit = _mm256_set1_epi8((char)zero);
    __m256i added = _mm256_dpbusd_epi32(none, unit, bytes);
    return (block_input){bytes, _mm256_sub_epi32(none, added)};
}

/* The products of quants less their zero with a part of a token. */
INLINE __m256i block_dot(const int zero, __m256i quants, block_input x) {
    (void)zero;
    return _mm256_dpbusd_epi32(x.offset, quants, x.bytes);
}

#include "simd_avx_blocks.h"

INLINE vf widen(dot_float v) { return (vf)_mm512_zextps256_ps512((__m256)v); }

#include "simd_avx512_q4_0.h"

/* ---- Bytes: four per lane, activations stored with an offset ---- */

#define INPUT_OFFSET 128u

INLINE vi dot(vi sum, vi w, const dot_word *x, int token) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum,
                                   _mm512_set1_epi32((int32_t)x[token]),
                                   (__m512i)w);
}

/* The sums, of each row, of quants less their zero times a part of a token,
 * whose values add up to total. */
INLINE vi part_dot(const int zero, const vi quants[8], const int8_t *values,
                   int total) {
    __m512i sums = _mm512_set1_epi32(-zero * total);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++)
        sums = _mm512_dpbusd_epi32(sums, (__m512i)quants[i],
                                   (__m512i)splat_word(values + 4 * i));
    return (vi)sums;
}

/* ---- Shapes of register tiles: 32 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 12
#define INT8_VECTORS 2
#define INT8_TOKENS 6
