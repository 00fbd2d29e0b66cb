/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of any processor, in C alone. */

#define LANES 4
#include "vector.inc.h"

/* ---- Half precision ---- */

/* The exponent is moved by a product, which is exact for subnormals too. */
INLINE vf f16_values(vi bits) {
    vi sign = (bits & 0x8000) << 16, magnitude = bits & 0x7fff;
    vf value = (vf)(magnitude << 13) * 0x1p112f;
    vi special = magnitude >= 0x7c00; /* infinity or NaN */
    vi all_ones = (magnitude << 13) | 0x7f800000;
    return (vf)((((vi)value & ~special) | (all_ones & special)) | sign);
}

INLINE vf load_f16(const void *p) {
    typedef uint16_t vh __attribute__((vector_size(8)));
    vh bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return f16_values(__builtin_convertvector(bits, vi));
}

/* out = halves * x */
INLINE void scale_products(half8 halves, const float x[8], float out[8]) {
    vi low = {halves[0], halves[1], halves[2], halves[3]};
    vi high = {halves[4], halves[5], halves[6], halves[7]};
    store(out, f16_values(low) * load(x));
    store(out + 4, f16_values(high) * load(x + 4));
}

INLINE float f16_value(uint16_t bits) {
    return f16_values((vi){bits, 0, 0, 0})[0];
}

/* Sums of four products of bytes in each lane. */
INLINE vi byte_products(vi w, vi x) {
    return (w >> 24) * (x >> 24) + (w << 8 >> 24) * (x << 8 >> 24) +
           (w << 16 >> 24) * (x << 16 >> 24) +
           (w << 24 >> 24) * (x << 24 >> 24);
}

/* ---- Bytes: one part of 32 along a row ---- */

typedef vf dot_float;
typedef struct {
    vi low, high;
} block_input;

/* The sum of sixteen bytes. */
INLINE int32_t sum_bytes(const int8_t *p) {
    int32_t sum = 0;
    for (int i = 0; i < 16; i++)
        sum += p[i];
    return sum;
}

/* Sixteen bytes of two quants each: the low halves are the first sixteen. */
INLINE bytes32 load_nibbles(const uint8_t *p) {
    typedef uint8_t bytes16 __attribute__((vector_size(16)));
    bytes16 bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return __builtin_shufflevector(bytes & 15, bytes >> 4, 0, 1, 2, 3, 4, 5, 6,
                                   7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                   19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                   30, 31);
}

INLINE block_input load_input(const int zero, const int8_t *values) {
    (void)zero;
    block_input x;
    __builtin_memcpy(&x, values, sizeof x);
    return x;
}

/* Adds the products of quants less their zero with a part of a token, scaled
 * by one factor, or the first sixteen and the others each by their own. */
INLINE dot_float add_dot(dot_float sum, const int zero, const int factors,
                         bytes32 quants, block_input x, const float *scales) {
    block_input w;
    quants -= (uint8_t)zero;
    __builtin_memcpy(&w, &quants, sizeof w);
    vi low = byte_products(w.low, x.low), high = byte_products(w.high, x.high);
    if (factors == 1)
        return sum + to_float(low + high) * scales[0];
    return sum + to_float(low) * scales[0] + to_float(high) * scales[1];
}

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: four per lane ---- */

#define INPUT_OFFSET 0u

INLINE vi dot(vi sum, vi w, const dot_word *x, int token) {
    return sum + byte_products(w, splat_int((int32_t)x[token]));
}

/* The sums, of each row, of quants less their zero times a part of a token,
 * whose values add up to total. */
INLINE vi part_dot(const int zero, const vi quants[8], const int8_t *values,
                   int total) {
    typedef uint8_t bytes16 __attribute__((vector_size(16)));
    vi sums = {};
    (void)total;
    for (int i = 0; i < 8; i++)
        sums += byte_products((vi)((bytes16)quants[i] - (uint8_t)zero),
                              splat_word(values + 4 * i));
    return sums;
}

/* ---- Shapes of register tiles: 16 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 6
#define INT8_VECTORS 1
#define INT8_TOKENS 4
