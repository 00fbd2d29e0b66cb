/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of AArch64; with the dot product instructions, and those of 2 x 2
 * dot products, where the file that includes this one has asked for them. */
#include <arm_neon.h>

#define LANES 4
#ifdef HAS_I8MM
#define DOT_TOKENS 2
#endif
#include "vector.inc.h"

#ifdef HAS_I8MM
typedef uint64_t dot_word;

/* The lower halves of two vectors, or their upper ones. */
INLINE vf token_sums(const vf sums[DOT_TOKENS], int token) {
    return token ? __builtin_shufflevector(sums[0], sums[1], 2, 3, 6, 7)
                 : __builtin_shufflevector(sums[0], sums[1], 0, 1, 4, 5);
}

INLINE void turn_words(vf rows[LANES]) {
    vf turned[LANES] = {token_sums(rows, 0), token_sums(rows + 2, 0),
                        token_sums(rows, 1), token_sums(rows + 2, 1)};
    for (int i = 0; i < LANES; i++)
        rows[i] = turned[i];
}

INLINE void put_words(const vi words[DOT_TOKENS], vi to[DOT_TOKENS]) {
    to[0] = LOWER_PAIRS(words[0], words[1]);
    to[1] = UPPER_PAIRS(words[0], words[1]);
}

INLINE vf row_factors(const float *p, int v) {
    return (vf)vreinterpretq_f32_u64(
        vld1q_dup_u64((const uint64_t *)(p + 2 * v)));
}

INLINE vf token_factors(const float *p) { return (vf){p[0], p[0], p[1], p[1]}; }
#endif

/* ---- Half precision ---- */

INLINE vf load_f16(const void *p) {
    return (vf)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

/* out = halves * x */
INLINE void scale_products(half8 halves, const float x[8], float out[8]) {
    float16x8_t values = (float16x8_t)halves;
    store(out, (vf)vcvt_f32_f16(vget_low_f16(values)) * load(x));
    store(out + 4, (vf)vcvt_high_f32_f16(values) * load(x + 4));
}

INLINE float f16_value(uint16_t bits) {
    __fp16 half;
    __builtin_memcpy(&half, &bits, sizeof half);
    return half;
}

/* Sums of four products of bytes in each lane, added to sum. */
INLINE int32x4_t add_byte_products(int32x4_t sum, int8x16_t w, int8x16_t x) {
#ifdef HAS_DOTPROD
    return vdotq_s32(sum, w, x);
#else
    /* Pairs are added in 16 bits: 2 * 128 * 127 fits. */
    int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
    int16x8_t high = vmull_high_s8(w, x);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
#endif
}

/* ---- Bytes: one part of 32 along a row ---- */

typedef vf dot_float;
typedef struct {
    int8x16_t low, high;
    int32x4_t low_offset, high_offset; /* what the zero adds, negated */
} block_input;

/* The sum of sixteen bytes. */
INLINE int32_t sum_bytes(const int8_t *p) { return vaddlvq_s8(vld1q_s8(p)); }

/* Sixteen bytes of two quants each: the low halves are the first sixteen. */
INLINE bytes32 load_nibbles(const uint8_t *p) {
    typedef uint8_t bytes16 __attribute__((vector_size(16)));
    bytes16 bytes = (bytes16)vld1q_u8(p);
    return __builtin_shufflevector(bytes & 15, bytes >> 4, 0, 1, 2, 3, 4, 5, 6,
                                   7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                   19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                   30, 31);
}

/* A zero of 128 is that of signed bytes: their own instructions take them. */
INLINE block_input load_input(const int zero, const int8_t *values) {
    int8x16_t low = vld1q_s8(values), high = vld1q_s8(values + 16);
    int8x16_t unit = vdupq_n_s8(zero == 128 ? 0 : (int8_t)-zero);
    int32x4_t none = vdupq_n_s32(0);
    return (block_input){low, high, add_byte_products(none, unit, low),
                         add_byte_products(none, unit, high)};
}

/* Adds the products of quants less their zero with a part of a token, scaled
 * by one factor, or the first sixteen and the others each by their own. */
INLINE dot_float add_dot(dot_float sum, const int zero, const int factors,
                         bytes32 quants, block_input x, const float *scales) {
    struct {
        int8x16_t low, high;
    } w;
    if (zero == 128)
        quants ^= 128;
    __builtin_memcpy(&w, &quants, sizeof w);
    int32x4_t dots = add_byte_products(x.low_offset, w.low, x.low);
    if (factors == 1) {
        dots = vaddq_s32(dots, x.high_offset);
        dots = add_byte_products(dots, w.high, x.high);
        return sum + (vf)vcvtq_f32_s32(dots) * scales[0];
    }
    int32x4_t others = add_byte_products(x.high_offset, w.high, x.high);
    return sum + (vf)vcvtq_f32_s32(dots) * scales[0] +
           (vf)vcvtq_f32_s32(others) * scales[1];
}

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: products of tiles ---- */

#define INPUT_OFFSET 0u

#if DOT_TOKENS == 2
INLINE vi dot(vi sum, vi w, const dot_word *x, int token) {
    return (vi)vmmlaq_s32((int32x4_t)sum, vld1q_s8((const int8_t *)(x + token)),
                          (int8x16_t)w);
}
#else
/* One load for all tokens: instructions take a lane of it. */
INLINE vi dot(vi sum, vi w, const dot_word *x, int token) {
    vi words = (vi)load((const float *)x);
    return (vi)add_byte_products((int32x4_t)sum, (int8x16_t)w,
                                 (int8x16_t)splat_int(words[token]));
}
#endif

/* The sums, of each row, of quants less their zero times a part of a token,
 * whose values add up to total. */
INLINE vi part_dot(const int zero, const vi quants[8], const int8_t *values,
                   int total) {
    const int is_signed = zero == 128;
    int32x4_t sums = vdupq_n_s32(is_signed ? 0 : -zero * total);
#ifndef HAS_DOTPROD
    /* Those of four bits are summed in 16 bits: 8 times 2 * 15 * 127 fits. */
    if (!is_signed) {
        int16x8_t low = vdupq_n_s16(0), high = low;
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) {
            int8x16_t w = (int8x16_t)quants[i];
            int8x16_t x = (int8x16_t)splat_word(values + 4 * i);
            low = vmlal_s8(low, vget_low_s8(w), vget_low_s8(x));
            high = vmlal_high_s8(high, w, x);
        }
        return (vi)vpadalq_s16(sums, vpaddq_s16(low, high));
    }
#endif
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++)
        sums = add_byte_products(
            sums,
            (int8x16_t)(is_signed ? quants[i] ^ (int32_t)0x80808080
                                  : quants[i]),
            (int8x16_t)splat_word(values + 4 * i));
    return (vi)sums;
}

/* ---- Shapes of register tiles: 32 registers ---- */

#define FLOAT_VECTORS 4
#define FLOAT_TOKENS 5
#define INT8_VECTORS 2
#if DOT_TOKENS == 2
#define INT8_TOKENS 6
#else
#define INT8_TOKENS LANES
#endif
