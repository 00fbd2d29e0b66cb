/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight blocks of Q4_0 along a row for AVX-512: 144 bytes are three loads.
 *
 * A permutation of 16-bit words takes the quants of four blocks into a
 * register, a block to each quarter, and another all scales.
 */

#define HAS_Q4_0_CHUNKS

typedef uint16_t words32 __attribute__((vector_size(64)));

/* Four parts of a token: the first halves of all, their second halves, and what
 * the zero of the weights adds, negated. */
typedef struct {
    __m512i low, high, offset;
} quad_input;

INLINE quad_input load_quad(const int8_t *values) {
    const __m512i none = _mm512_setzero_si512(), zero = _mm512_set1_epi8(8);
    __m512i first = _mm512_loadu_si512(values);
    __m512i second = _mm512_loadu_si512(values + 64);
    __m512i low = _mm512_shuffle_i64x2(first, second, 0x88);
    __m512i high = _mm512_shuffle_i64x2(first, second, 0xdd);
    __m512i added = _mm512_dpbusd_epi32(none, zero, low);
    added = _mm512_dpbusd_epi32(added, zero, high);
    return (quad_input){low, high, _mm512_sub_epi32(none, added)};
}

/* The products of four blocks with a quad, in a quarter each. */
INLINE vf quad_dots(words32 blocks, quad_input x) {
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i low = _mm512_and_si512((__m512i)blocks, nibble);
    __m512i high = _mm512_and_si512((__m512i)(blocks >> 4), nibble);
    __m512i dots = _mm512_dpbusd_epi32(x.offset, low, x.low);
    return to_float((vi)_mm512_dpbusd_epi32(dots, high, x.high));
}

/* The scales of four blocks, to their quarters. */
#define QUARTERS(v, i)                                                         \
    __builtin_shufflevector(v, v, i, i, i, i, i + 1, i + 1, i + 1, i + 1,      \
                            i + 2, i + 2, i + 2, i + 2, i + 3, i + 3, i + 3,   \
                            i + 3)

/* Adds the products of eight blocks with two quads; scales are the token's. */
INLINE vf add_q4_0_chunk(vf sum, const uint8_t *w, const quad_input x[2],
                         float8 scales) {
    words32 a, b, c;
    __builtin_memcpy(&a, w, sizeof a);
    __builtin_memcpy(&b, w + 64, sizeof b);
    __builtin_memcpy(&c, w + 80, sizeof c);
    half8 halves =
        __builtin_shufflevector(a, b, 0, 9, 18, 27, 36, 45, 54, 63);
    words32 first = __builtin_shufflevector(
        a, b, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20,
        21, 22, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 35);
    words32 second = __builtin_shufflevector(
        b, c, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24,
        25, 26, 27, 28, 29, 30, 56, 57, 58, 59, 60, 61, 62, 63);
    scales *= (float8)_mm256_cvtph_ps((__m128i)halves);
    sum += quad_dots(first, x[0]) * QUARTERS(scales, 0);
    return sum + quad_dots(second, x[1]) * QUARTERS(scales, 4);
}

/* The lower half of a vector and its upper one. */
INLINE dot_float add_halves(vf v) {
    return (dot_float)(_mm512_castps512_ps256((__m512)v) +
                       _mm512_extractf32x8_ps((__m512)v, 1));
}
