/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for few tokens: the time is that of reading the weights.
 *
 * Each row of weights is a dot product along its bytes, which are read once
 * and in order; an item's rows stay in the first cache for the next tokens.
 */

/* out (+)= value + bias, for one output. */
INLINE void put_output(const ck_matmul_args *args, ptrdiff_t token,
                       ptrdiff_t row, float value) {
    float *out = args->out.data + token * args->out.columns + row;
    if (args->bias)
        value += args->bias[row];
    *out = args->accumulates ? *out + value : value;
}

INLINE void few_rows(const int rows, const int type, const ck_matmul_args *args,
                     ptrdiff_t first, ptrdiff_t token) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    const uint8_t *w = weight_row(&args->w, type, first);
    const float *x = args->x.data + token * columns;
    vf sums[4] = {};
    ptrdiff_t k = 0;
    for (; k + LANES <= columns; k += LANES) {
        vf v = load(x + k);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
            sums[r] += load_weights(type, w + r * size, k) * v;
    }
    if (k < columns) {
        vf v = load_part(x + k, columns - k);
        for (int r = 0; r < rows; r++)
            sums[r] +=
                load_weights_part(type, w + r * size, k, columns - k) * v;
    }
    for (int r = 0; r < rows; r++)
        put_output(args, token, first + r, sum_lanes(sums[r]));
}

INLINE float sum_dot_lanes(dot_float v) {
    float sum = 0;
    for (int i = 0; i < DOT_LANES / 2; i++)
        sum += v[i] + v[i + DOT_LANES / 2];
    return sum;
}

INLINE void few_rows_int8(const int rows, const int type,
                          const ck_matmul_args *args, ptrdiff_t first,
                          ptrdiff_t token) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    const uint8_t *w = weight_row(&args->w, type, first);
    ck_quantized x = ck_quantized_in(args->scratch, args->x.rows, columns);
    const int8_t *values = x.values + token * columns;
    const float *scales = x.scales + token * x.blocks;
    dot_float sums[4] = {};
    for (ptrdiff_t b = 0; b < x.blocks; b++) {
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const uint8_t *block = w + r * size + b * block_size(type);
            float scale = f16_value(load_u16(block)) * scales[b];
            sums[r] += block_dot(load_block(type, block),
                                 values + b * QUANT_BLOCK) *
                       scale;
        }
    }
    for (int r = 0; r < rows; r++)
        put_output(args, token, first + r, sum_dot_lanes(sums[r]));
}

INLINE void few_item(const int type, const ck_matmul_args *args,
                     ptrdiff_t first, ptrdiff_t last) {
    const int is_quantized = type == CK_Q8_0 || type == CK_Q4_0;
    for (ptrdiff_t token = 0; token < args->x.rows; token++) {
        ptrdiff_t row = first;
        for (; row + 4 <= last; row += 4) {
            if (is_quantized)
                few_rows_int8(4, type, args, row, token);
            else
                few_rows(4, type, args, row, token);
        }
        for (; row < last; row++) {
            if (is_quantized)
                few_rows_int8(1, type, args, row, token);
            else
                few_rows(1, type, args, row, token);
        }
    }
}

static void matmul_few(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                       int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    for (ptrdiff_t item = begin; item < end; item++) {
        ptrdiff_t first = item * MATMUL_FEW_ROWS;
        ptrdiff_t last = first + MATMUL_FEW_ROWS;
        if (last > args->w.rows)
            last = args->w.rows;
        switch (args->w.type) {
        case CK_F32: few_item(CK_F32, args, first, last); break;
        case CK_F16: few_item(CK_F16, args, first, last); break;
        case CK_BF16: few_item(CK_BF16, args, first, last); break;
        case CK_Q8_0: few_item(CK_Q8_0, args, first, last); break;
        case CK_Q4_0: few_item(CK_Q4_0, args, first, last); break;
        }
    }
}

/*
 * Activations to int8, in blocks of 32: scale = max |x| / 127. A block with a
 * NaN or an infinity gets the scale NaN, and so all that it touches.
 */
static void quantize(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                     int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    ck_quantized to =
        ck_quantized_in(args->scratch, args->x.rows, args->x.columns);
    for (ptrdiff_t b = begin * to.blocks; b < end * to.blocks; b++) {
        const float *x = args->x.data + b * QUANT_BLOCK;
        vf greatest = {}, excess = {};
        for (int k = 0; k < QUANT_BLOCK; k += LANES) {
            greatest = maximum(greatest, absolute(load(x + k)));
            excess += load(x + k) * 0; /* 0, or NaN */
        }
        float magnitude = max_lanes(greatest);
        float inverse = magnitude > 0 ? 127 / magnitude : 0;
        if (!(inverse < INFINITY)) /* max |x| is subnormal: take it as zero */
            inverse = 0;
        vi sum = {};
        for (int k = 0; k < QUANT_BLOCK; k += LANES) {
            typedef int8_t vb __attribute__((vector_size(LANES)));
            vf scaled = round_to_integer(load(x + k) * inverse);
            /* Keeps NaN out of the conversion. */
            vi value = __builtin_convertvector(
                choose(absolute(scaled) <= 127, scaled, splat(0)), vi);
            vb bytes = __builtin_convertvector(value, vb);
            __builtin_memcpy(to.values + b * QUANT_BLOCK + k, &bytes,
                             sizeof bytes);
            sum += value;
        }
        int32_t total = 0;
        for (int i = 0; i < LANES; i++)
            total += sum[i];
        to.scales[b] = magnitude / 127 + sum_lanes(excess);
        to.sums[b] = total;
    }
}
