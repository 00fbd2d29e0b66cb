/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of x86-64 with AVX-512 and VNNI. */
#include <immintrin.h>

#define LANES 16
#include "vector.inc.h"

/* ---- Half precision ---- */

INLINE vf load_f16(const void *p) {
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256(p));
}

INLINE float f16_value(uint16_t bits) { return _cvtsh_ss(bits); }

/* ---- Bytes: one block of 32 along a row ---- */

#define DOT_LANES 8
typedef float dot_float __attribute__((vector_size(32)));
typedef struct {
    __m256i magnitude, value;
} weight_block;

#include "simd_avx_blocks.h"

INLINE dot_float block_dot(weight_block w, const int8_t *x) {
    __m256i signed_x = _mm256_sign_epi8(load_bytes(x), w.value);
    return (dot_float)_mm256_cvtepi32_ps(_mm256_dpbusd_epi32(
        _mm256_setzero_si256(), w.magnitude, signed_x));
}

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
