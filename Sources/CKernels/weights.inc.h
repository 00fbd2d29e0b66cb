/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as they lie in a model file, read as f32. */

/* The size of a row in bytes. */
INLINE ptrdiff_t row_size(int type, ptrdiff_t columns) {
    switch (type) {
    case CK_F32: return columns * 4;
    case CK_F16:
    case CK_BF16: return columns * 2;
    default:
        return columns / (QUANT_BLOCK * parts_of(type)) * ck_block_size(type);
    }
}

INLINE const uint8_t *weight_row(const ck_matrix *w, int type, ptrdiff_t row) {
    return (const uint8_t *)w->data + row * row_size(type, w->columns);
}

/* One element of a row of f32, f16 or bf16. */
INLINE float weight_at(int type, const uint8_t *row, ptrdiff_t k) {
    float value;
    uint32_t bits;
    switch (type) {
    case CK_F16: return f16_value(load_u16(row + 2 * k));
    case CK_BF16: bits = (uint32_t)load_u16(row + 2 * k) << 16; break;
    default: __builtin_memcpy(&bits, row + 4 * k, sizeof bits);
    }
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

/* LANES elements of a row of f32, f16 or bf16. */
INLINE vf load_weights(int type, const uint8_t *row, ptrdiff_t k) {
    typedef uint16_t vh __attribute__((vector_size(LANES * 2)));
    vh halves;
    switch (type) {
    case CK_F16: return load_f16(row + 2 * k);
    case CK_BF16:
        __builtin_memcpy(&halves, row + 2 * k, sizeof halves);
        return (vf)(__builtin_convertvector(halves, vi) << 16);
    default: return load((const float *)(row + 4 * k));
    }
}

/* The first count < LANES elements, then zeros. */
INLINE vf load_weights_part(int type, const uint8_t *row, ptrdiff_t k,
                            ptrdiff_t count) {
    vf v = {};
    for (ptrdiff_t i = 0; i < count; i++)
        v[i] = weight_at(type, row, k + i);
    return v;
}
