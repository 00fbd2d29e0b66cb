/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as they lie in a model file, read as f32. */

/* The size of a row in bytes. */
INLINE ptrdiff_t row_size(int type, ptrdiff_t columns) {
    switch (type) {
    case CK_F32: return columns * 4;
    case CK_Q8_0: return columns / QUANT_BLOCK * 34;
    case CK_Q4_0: return columns / QUANT_BLOCK * 18;
    default: return columns * 2;
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

/* The quants of a block of Q8_0 or Q4_0, without its scale. */
INLINE weight_block load_block(int type, const uint8_t *block) {
    return type == CK_Q8_0 ? load_q8(block + 2) : load_q4(block + 2);
}

INLINE ptrdiff_t block_size(int type) { return type == CK_Q8_0 ? 34 : 18; }

INLINE void dequantize_block(int type, const uint8_t *block, float *out) {
    int8_t values[QUANT_BLOCK];
    store_block(values, load_block(type, block));
    float scale = f16_value(load_u16(block));
    for (int i = 0; i < QUANT_BLOCK; i++)
        out[i] = scale * values[i];
}

static void dequantize(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                       int worker) {
    (void)worker;
    const ck_dequantize_args *args = pointer;
    const int type = args->w.type;
    const ptrdiff_t columns = args->w.columns;
    for (ptrdiff_t r = begin; r < end; r++) {
        const uint8_t *row = weight_row(&args->w, type, args->first + r);
        float *out = args->out.data + r * columns;
        if (type == CK_Q8_0 || type == CK_Q4_0) {
            for (ptrdiff_t b = 0; b < columns / QUANT_BLOCK; b++)
                dequantize_block(type, row + b * block_size(type),
                                 out + b * QUANT_BLOCK);
        } else {
            for (ptrdiff_t k = 0; k < columns; k++)
                out[k] = weight_at(type, row, k);
        }
    }
}
