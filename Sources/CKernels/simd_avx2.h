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

/* The same of bytes w in 0...127. */
INLINE __m256i unsigned_products(__m256i w, __m256i x) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1));
}

/* ---- Bytes: one part of 32 along a row ---- */

typedef vf dot_float;
typedef struct {
    __m256i bytes;
    __m256i offset; /* what the zero of the weights adds, negated */
} block_input;

INLINE block_input load_input(const int zero, const int8_t *values) {
    block_input x = {(__m256i)load_bytes(values), _mm256_setzero_si256()};
    if (zero != 0 && zero != 128)
        x.offset = unsigned_products(_mm256_set1_epi8((char)zero),
                                     _mm256_sign_epi8(x.bytes,
                                                      _mm256_set1_epi8(-1)));
    return x;
}

/* The products of quants less their zero with a part of a token. */
INLINE __m256i block_dot(const int zero, __m256i quants, block_input x) {
    if (zero == 128)
        return byte_products(_mm256_xor_si256(quants, _mm256_set1_epi8(-128)),
                             x.bytes);
    return _mm256_add_epi32(unsigned_products(quants, x.bytes), x.offset);
}

#include "simd_avx_blocks.h"

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: four per lane ---- */

#define INPUT_OFFSET 0u

INLINE vi dot(vi sum, vi w, const dot_word *x, int token) {
    return sum + (vi)byte_products((__m256i)w,
                                   _mm256_set1_epi32((int32_t)x[token]));
}

/* The sums, of each row, of quants less their zero times a part of a token,
 * whose values add up to total. Those of four bits are summed in 16 bits: 8
 * times 2 * 15 * 127 fits. */
INLINE vi part_dot(const int zero, const vi quants[8], const int8_t *values,
                   int total) {
    vi sums = {};
    if (zero == 128) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++)
            sums += (vi)byte_products(
                (__m256i)(quants[i] ^ (int32_t)0x80808080),
                (__m256i)splat_word(values + 4 * i));
        return sums;
    }
    __m256i pairs = _mm256_setzero_si256();
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++)
        pairs = _mm256_add_epi16(
            pairs, _mm256_maddubs_epi16((__m256i)quants[i],
                                        (__m256i)splat_word(values + 4 * i)));
    return (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)) - zero * total;
}

/* ---- Shapes of register tiles: 16 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 6
#define INT8_VECTORS 1
#define INT8_TOKENS 4
