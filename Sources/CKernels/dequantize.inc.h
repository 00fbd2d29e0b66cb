/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of weights as f32. */

INLINE void dequantize_row(const int type, const uint8_t *row,
                           ptrdiff_t columns, float *out) {
    const int elements = QUANT_BLOCK * parts_of(type);
    for (ptrdiff_t k = 0; k < columns; k += elements)
        dequantize_block(type, row + row_size(type, k), out + k);
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
        switch (type) {
#define ROW_OF(type)                                                           \
    case type: dequantize_row(type, row, columns, out); break;
            QUANTIZED_TYPES(ROW_OF)
#undef ROW_OF
        default:
            for (ptrdiff_t k = 0; k < columns; k++)
                out[k] = weight_at(type, row, k);
        }
    }
}
