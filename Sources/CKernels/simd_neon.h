/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of AArch64; with the dot product instructions where the file that
 * includes this one has asked for them. */
#include <arm_neon.h>

#define LANES 4
#include "vector.inc.h"

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

/* ---- Bytes: one block of 32 along a row ---- */

typedef vf dot_float;
typedef struct {
    int8x16_t low, high;
} weight_block;

/* The quants of a Q8_0 block, as int8. */
INLINE weight_block load_q8(const uint8_t *quants) {
    const int8_t *p = (const int8_t *)quants;
    return (weight_block){vld1q_s8(p), vld1q_s8(p + 16)};
}

/* The quants of a Q4_0 block: the low nibbles are the first half. */
INLINE weight_block load_q4(const uint8_t *quants) {
    uint8x16_t bytes = vld1q_u8(quants);
    int8x16_t eight = vdupq_n_s8(8);
    int8x16_t low = vreinterpretq_s8_u8(vandq_u8(bytes, vdupq_n_u8(15)));
    int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4));
    return (weight_block){vsubq_s8(low, eight), vsubq_s8(high, eight)};
}

INLINE void store_block(int8_t *out, weight_block w) {
    vst1q_s8(out, w.low);
    vst1q_s8(out + 16, w.high);
}

typedef weight_block block_input;

INLINE block_input load_input(const int type, const int8_t *values) {
    (void)type;
    return load_q8((const uint8_t *)values);
}

INLINE dot_float block_dot(const int type, const uint8_t *quants,
                           block_input x) {
    weight_block w = type == CK_Q8_0 ? load_q8(quants) : load_q4(quants);
    int32x4_t sum = add_byte_products(vdupq_n_s32(0), w.low, x.low);
    return (dot_float)vcvtq_f32_s32(add_byte_products(sum, w.high, x.high));
}

INLINE vf widen(dot_float v) { return v; }

/* ---- Bytes: four per lane ---- */

#define PACKED_OFFSET 0

INLINE vi dot4(vi sum, vi w, int32_t x) {
    return (vi)add_byte_products((int32x4_t)sum, (int8x16_t)w,
                                 vreinterpretq_s8_s32(vdupq_n_s32(x)));
}

/* ---- Shapes of register tiles: 32 registers ---- */

#define FLOAT_VECTORS 4
#define FLOAT_TOKENS 5
#define INT8_VECTORS 2
#define INT8_TOKENS 4
