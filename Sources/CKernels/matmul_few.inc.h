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

/* Asks for the same bytes of the next item's rows: four rows at once are no
 * stream that the processor would recognise. */
INLINE void prefetch(const uint8_t *p, ptrdiff_t size) {
    for (ptrdiff_t i = 0; i < size; i += 64)
        __builtin_prefetch(p + i);
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
        for (int r = 0; r < rows; r++) {
            prefetch(w + (r + MATMUL_FEW_ROWS) * size + row_size(type, k),
                     row_size(type, LANES));
            sums[r] += load_weights(type, w + r * size, k) * v;
        }
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

enum { CHUNK = 8 /* blocks whose scales are converted at once */ };

/* Adds the products of rows with count <= CHUNK blocks of a token. */
INLINE void add_chunk(const int rows, const int type, const uint8_t *w,
                      ptrdiff_t size, const int8_t *values,
                      const float *x_scales, const int count,
                      dot_float sums[4]) {
    const ptrdiff_t step = block_size(type);
    float scales[4][CHUNK]; /* of the weights, times those of the token */
    float padded[CHUNK] = {};
    __builtin_memcpy(padded, x_scales, (size_t)count * sizeof(float));
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        half8 halves = {};
        prefetch(w + (r + MATMUL_FEW_ROWS) * size, count * step);
#pragma clang loop unroll(full)
        for (int b = 0; b < count; b++)
            halves[b] = load_u16(w + r * size + b * step);
        scale_products(halves, padded, scales[r]);
    }
#pragma clang loop unroll(disable) /* so that scales are read from memory */
    for (int b = 0; b < count; b++) {
        block_input x = load_input(type, values + b * QUANT_BLOCK);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
            sums[r] +=
                block_dot(type, w + r * size + b * step + 2, x) * scales[r][b];
    }
}

INLINE void few_rows_int8(const int rows, const int type,
                          const ck_matmul_args *args, ptrdiff_t first,
                          ptrdiff_t token) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    const ck_quantized x =
        ck_quantized_in(args->scratch, args->x.rows, columns);
    const uint8_t *w = weight_row(&args->w, type, first);
    const int8_t *values = x.values + token * columns;
    const float *scales = x.scales + token * x.blocks;
    dot_float sums[4] = {};
    ptrdiff_t b = 0;
    for (; b + CHUNK <= x.blocks; b += CHUNK)
        add_chunk(rows, type, w + b * block_size(type), size,
                  values + b * QUANT_BLOCK, scales + b, CHUNK, sums);
    for (; b < x.blocks; b++)
        add_chunk(rows, type, w + b * block_size(type), size,
                  values + b * QUANT_BLOCK, scales + b, 1, sums);
    for (int r = 0; r < rows; r++)
        put_output(args, token, first + r, sum_lanes(widen(sums[r])));
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
        ptrdiff_t last = at_most(first + MATMUL_FEW_ROWS, args->w.rows);
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
        to.scales[b] = magnitude / 127 + sum_lanes(excess);
        to.offsets[b] = -PACKED_OFFSET * __builtin_reduce_add(sum);
    }
}
