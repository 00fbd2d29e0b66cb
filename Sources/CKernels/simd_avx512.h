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

/* ---- Bytes: one block of 32 along a row ---- */

/* Half a register: three ports of an Intel core take these, two the whole. */
typedef float dot_float __attribute__((vector_size(32)));
typedef struct {
    __m256i bytes;
    __m256i offset; /* what the weights' unsigned form adds, negated */
} block_input;

#include "simd_avx_blocks.h"

INLINE block_input load_input(const int type, const int8_t *values) {
    __m256i bytes = load_bytes(values), zero = _mm256_setzero_si256();
    __m256i unit = _mm256_set1_epi8(type == CK_Q8_0 ? (char)128 : 8);
    __m256i added = _mm256_dpbusd_epi32(zero, unit, bytes);
    return (block_input){bytes, _mm256_sub_epi32(zero, added)};
}

INLINE dot_float block_dot(const int type, const uint8_t *quants,
                           block_input x) {
    __m256i w = type == CK_Q8_0 ? _mm256_xor_si256(load_bytes(quants),
                                                   _mm256_set1_epi8((char)128))
                                : load_nibbles(quants);
    return (dot_float)_mm256_cvtepi32_ps(
        _mm256_dpbusd_epi32(x.offset, w, x.bytes));
}

INLINE vf widen(dot_float v) { return (vf)_mm512_zextps256_ps512((__m256)v); }

/* ---- Bytes: four per lane, weights stored with an offset ---- */

#define PACKED_OFFSET 128

INLINE vi dot4(vi sum, vi w, int32_t x) {
    return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w,
                                   _mm512_set1_epi32(x));
}

/* ---- Shapes of register tiles: 32 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 12
#define INT8_VECTORS 2
#define INT8_TOKENS 6
