/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of weights as f32. */

INLINE void dequantize_row(const int type, const uint8_t *row,
                           ptrdiff_t columns, float *out) {
    const int elements = QUANT_BLOCK * parts_of(type);
    for (ptrdiff_t k = 0; k < columns; k += elements)
        dequantize_block(type, row + row_size(type, k), out + k);
}

/* A row of a group. */
INLINE void dequantize_group_row(const int type, const uint8_t *group,
                                 ptrdiff_t row, ptrdiff_t columns, float *out) {
    for (ptrdiff_t k = 0; k < columns; k += QUANT_BLOCK) {
        uint8_t block[QUANT_BLOCK + 2];
        gather_block(type, group, row, block);
        dequantize_block(ck_plain_type(type), block, out + k);
        group += group_block_size(type);
    }
}

static void dequantize(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                       int worker) {
    (void)worker;
    const ck_dequantize_args *args = pointer;
    const ptrdiff_t columns = args->w.columns;
    for (ptrdiff_t r = begin; r < end; r++) {
        const ptrdiff_t index = args->first + r, in_group = index % ROW_GROUP;
        const int type = ck_type_of_row(&args->w, index);
        const uint8_t *row = weight_row(&args->w, type, index);
        const uint8_t *group = weight_row(&args->w, type, index - in_group);
        float *out = args->out.data + r * columns;
        switch (type) {
#define ROW_OF(type)                                                           \
    case type: dequantize_row(type, row, columns, out); break;
            QUANTIZED_TYPES(ROW_OF)
#undef ROW_OF
#define ROW_OF(type)                                                           \
    case type: dequantize_group_row(type, group, in_group, columns, out); break;
            INTERLEAVED_TYPES(ROW_OF)
#undef ROW_OF
        default:
            for (ptrdiff_t k = 0; k < columns; k++)
                out[k] = weight_at(type, row, k);
        }
    }
}
