/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of quantised weights as ggml lays them out, read in parts of 32.
 *
 * A part is 32 quants q >= 0 with value = scale * (q - zero) + minimum. The
 * zero is a constant of the type. Most types have one scale per part, Q6_K one
 * per half; not all have a minimum. A block is one part, or eight of them with
 * scales that are small integers times the block's own ("K" types).
 */

#define QUANTIZED_TYPES(X)                                                     \
    X(CK_Q8_0) X(CK_Q4_0) X(CK_Q4_1) X(CK_Q5_0) X(CK_Q5_1)                     \
    X(CK_Q4_K) X(CK_Q5_K) X(CK_Q6_K)
#define INTERLEAVED_TYPES(X) X(CK_Q8_0X16) X(CK_Q4_0X16)

enum { BLOCK_PARTS = 8 /* in a block of a K type */ };

INLINE int is_k_type(int type) {
    return type == CK_Q4_K || type == CK_Q5_K || type == CK_Q6_K;
}

INLINE int parts_of(int type) { return is_k_type(type) ? BLOCK_PARTS : 1; }

INLINE int has_minima(int type) {
    return type == CK_Q4_1 || type == CK_Q5_1 || type == CK_Q4_K ||
           type == CK_Q5_K;
}

/* The count of scales in a part. */
INLINE int scales_of(int type) { return type == CK_Q6_K ? 2 : 1; }

/* Whether a row has one scale, and so have the tokens that it meets. */
INLINE int has_row_scales(int type) { return type == CK_Q8_ROW; }

/* A type whose quants are signed bytes has the zero 128. */
INLINE int zero_of(int type) {
    switch (ck_plain_type(type)) {
    case CK_Q8_0: return 128;
    case CK_Q6_K: return 32;
    case CK_Q5_0: return 16;
    case CK_Q4_0: return 8;
    default: return 0;
    }
}

/* ---- Quants ---- */

/* 16 in byte i where bit i of the four bytes is set. */
INLINE bytes32 fifth_bits(const uint8_t *p) {
    typedef uint32_t words8 __attribute__((vector_size(32)));
    uint32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    bytes32 bytes = (bytes32)(word - (words8){});
    bytes = __builtin_shufflevector(bytes, bytes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
                                    1, 1, 1, 1, 1, 1, 18, 18, 18, 18, 18, 18,
                                    18, 18, 19, 19, 19, 19, 19, 19, 19, 19);
    const bytes32 bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64,
                          128, 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32,
                          64, 128};
    return (bytes32)((bytes & bits) != 0) & 16;
}

/* The bits [shift, shift + width) of 32 bytes. */
INLINE bytes32 bit_field(const uint8_t *p, int shift, int width) {
    return (load_bytes(p) >> (uint8_t)shift) & (uint8_t)((1 << width) - 1);
}

/* The quants of a part of a block. */
INLINE bytes32 load_quants(const int type, const uint8_t *block, int part) {
    int pair = part / 2, quarter = part % 4;
    switch (type) {
    case CK_Q8_0:
    case CK_Q8_ROW: return load_bytes(block + 2) ^ 128;
    case CK_Q4_0: return load_nibbles(block + 2);
    case CK_Q4_1: return load_nibbles(block + 4);
    case CK_Q5_0: return load_nibbles(block + 6) | fifth_bits(block + 2);
    case CK_Q5_1: return load_nibbles(block + 8) | fifth_bits(block + 4);
    case CK_Q4_K: return bit_field(block + 16 + 32 * pair, 4 * (part % 2), 4);
    case CK_Q5_K:
        return bit_field(block + 48 + 32 * pair, 4 * (part % 2), 4) |
               bit_field(block + 16, part, 1) << 4;
    default: /* Q6_K */
        return bit_field(block + 64 * (part / 4) + 32 * (quarter % 2),
                         4 * (quarter / 2), 4) |
               bit_field(block + 128 + 32 * (part / 4), 2 * quarter, 2) << 4;
    }
}

/* ---- Scales and minima ---- */

INLINE uint32_t load_u32(const void *p) {
    uint32_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return bits;
}

/* The floats of eight bytes, four in each word. */
INLINE float8 floats_of_bytes(uint32_t low, uint32_t high) {
    typedef uint8_t bytes8 __attribute__((vector_size(8)));
    uint64_t word = (uint64_t)high << 32 | low;
    return __builtin_convertvector((bytes8)word, float8);
}

/*
 * The scales and minima of the eight parts of a Q4_K or Q5_K block. They are
 * six bits wide: those of the first four parts in bytes 0...3 and 4...7, of the
 * others the low four bits in bytes 8...11 and the high two on top of the first.
 */
INLINE void read_packed_factors(const uint8_t *block, float8 *scales,
                                float8 *minima) {
    uint32_t s = load_u32(block + 4), m = load_u32(block + 8);
    uint32_t rest = load_u32(block + 12);
    uint32_t low4 = 0x0f0f0f0f, low6 = 0x3f3f3f3f, top2 = 0x30303030;
    *scales = floats_of_bytes(s & low6, (rest & low4) | (s >> 2 & top2)) *
              f16_value(load_u16(block));
    *minima = floats_of_bytes(m & low6, (rest >> 4 & low4) | (m >> 2 & top2)) *
              -f16_value(load_u16(block + 2));
}

/* The sixteen scales of a Q6_K block, in order. */
INLINE void read_half_scales(const uint8_t *block, float8 scales[2]) {
    typedef int8_t bytes8 __attribute__((vector_size(8)));
    float d = f16_value(load_u16(block + 208));
    for (int i = 0; i < 2; i++) {
        bytes8 bytes;
        __builtin_memcpy(&bytes, block + 192 + 8 * i, sizeof bytes);
        scales[i] = __builtin_convertvector(bytes, float8) * d;
    }
}

/* What turns the quants of a block into values. */
typedef struct {
    float scales[2 * BLOCK_PARTS]; /* scales_of(type) per part */
    float minima[BLOCK_PARTS];
} block_factors;

INLINE block_factors read_factors(const int type, const uint8_t *block) {
    block_factors factors;
    float8 scales[2], minima;
    switch (type) {
    case CK_Q4_K:
    case CK_Q5_K:
        read_packed_factors(block, scales, &minima);
        __builtin_memcpy(factors.scales, scales, sizeof *scales);
        __builtin_memcpy(factors.minima, &minima, sizeof minima);
        break;
    case CK_Q6_K:
        read_half_scales(block, scales);
        __builtin_memcpy(factors.scales, scales, sizeof scales);
        break;
    default:
        factors.scales[0] = f16_value(load_u16(block));
        if (has_minima(type))
            factors.minima[0] = f16_value(load_u16(block + 2));
    }
    return factors;
}

INLINE void dequantize_block(const int type, const uint8_t *block, float *out) {
    const block_factors factors = read_factors(type, block);
    for (int part = 0; part < parts_of(type); part++) {
        bytes32 quants = load_quants(type, block, part);
        for (int i = 0; i < QUANT_BLOCK; i++) {
            int scale = scales_of(type) == 2 ? 2 * part + i / 16 : part;
            float value = factors.scales[scale] * (quants[i] - zero_of(type));
            *out++ = has_minima(type) ? value + factors.minima[part] : value;
        }
    }
}
