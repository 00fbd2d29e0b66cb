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

/* ---- Bytes: one block of 32 along a row ---- */

typedef vf dot_float;
typedef struct {
    vi low, high;
} weight_block;

/* The quants of a Q8_0 block, as int8. */
INLINE weight_block load_q8(const uint8_t *quants) {
    weight_block w;
    __builtin_memcpy(&w, quants, sizeof w);
    return w;
}

/* The quants of a Q4_0 block: the low nibbles are the first half. */
INLINE weight_block load_q4(const uint8_t *quants) {
    typedef int8_t vb __attribute__((vector_size(16)));
    vb bytes;
    __builtin_memcpy(&bytes, quants, sizeof bytes);
    return (weight_block){(vi)((bytes & 15) - 8),
                          (vi)(((bytes >> 4) & 15) - 8)};
}

INLINE void store_block(int8_t *out, weight_block w) {
    __builtin_memcpy(out, &w, sizeof w);
}

typedef weight_block block_input;

INLINE block_input load_input(const int type, const int8_t *values) {
    (void)type;
    return load_q8((const uint8_t *)values);
}

INLINE dot_float block_dot(const int type, const uint8_t *quants,
                           block_input x) {
    weight_block w = type == CK_Q8_0 ? load_q8(quants) : load_q4(quants);
    return to_float(byte_products(w.low, x.low) +
                    byte_products(w.high, x.high));
}

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: four per lane ---- */

#define PACKED_OFFSET 0

INLINE vi dot4(vi sum, vi w, int32_t x) {
    return sum + byte_products(w, splat_int(x));
}

/* ---- Shapes of register tiles: 16 registers ---- */

#define FLOAT_VECTORS 2
#define FLOAT_TOKENS 6
#define INT8_VECTORS 1
#define INT8_TOKENS 4
