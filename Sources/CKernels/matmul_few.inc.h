/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for few tokens: the time is that of reading the weights.
 *
 * Each row of weights is a dot product along its bytes, which are read once
 * and in order; an item's rows stay in the first cache for the next tokens.
 */

/* out (+)= value + bias, for one output; NaN if that is infinite. */
INLINE void put_output(const ck_matmul_args *args, ptrdiff_t token,
                       ptrdiff_t row, float value) {
    float *out = args->out.data + token * args->out.columns + row;
    if (args->bias)
        value += args->bias[row];
    if (args->accumulates)
        value += *out;
    *out = value + 0 * value;
}

/* Asks for bytes further on: some rows at once are no stream that the processor
 * would recognise. Into the second cache, which fetches more lines at a time
 * than the first and has room for an item. */
INLINE void prefetch(const uint8_t *p, ptrdiff_t size) {
    for (ptrdiff_t i = 0; i < size; i += 64)
        __builtin_prefetch(p + i, 0, 2);
}

/*
 * How many rows are read at once. Where arithmetic waits for the bytes, two:
 * each of few streams is then fetched further. More of them save arithmetic,
 * for they share what is loaded of a token. Measured: boards/speed.md.
 */
INLINE int rows_at_once(const int type) {
    const int is_half = type == CK_F16 || type == CK_BF16;
    return type == CK_Q8_0 || (is_half && LANES == 16) ? 2 : 4;
}

/* How far behind the bytes in use those lie that are asked for. */
INLINE ptrdiff_t bytes_ahead(const int type, ptrdiff_t size) {
    if (rows_at_once(type) == 4)
        return MATMUL_FEW_ROWS * size;
    return type == CK_Q8_0 ? 16384 : 8192;
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
            prefetch(w + r * size + bytes_ahead(type, size) +
                         row_size(type, k),
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

/* Eight parts of a token: the scales, and the scaled sums of the values. */
typedef struct {
    const int8_t *values;
    float scales[BLOCK_PARTS], sums[BLOCK_PARTS];
} input_chunk;

INLINE input_chunk chunk_of(const int type, const ck_quantized *x,
                            ptrdiff_t part, const int count) {
    input_chunk chunk = {.values = x->values + part * QUANT_BLOCK};
    __builtin_memcpy(chunk.scales, x->scales + part,
                     (size_t)count * sizeof(float));
    if (has_minima(type)) {
        const int16_t *sums = x->sums + 2 * part;
        for (int p = 0; p < count; p++)
            chunk.sums[p] = x->scales[part + p] * (sums[2 * p] + sums[2 * p + 1]);
    }
    return chunk;
}

/* The scales of count parts of a row, times those of the token; adds what the
 * minima bring to the sum. */
INLINE void chunk_scales(const int type, const uint8_t *w,
                         const input_chunk *x, const int count, float *scales,
                         dot_float *sum) {
    const ptrdiff_t step = ck_block_size(type);
    float minima[BLOCK_PARTS];
    half8 halves = {};
    switch (type) {
    case CK_Q4_K:
    case CK_Q5_K:
    case CK_Q6_K: {
        const block_factors factors = read_factors(type, w);
#pragma clang loop unroll(full)
        for (int i = 0; i < BLOCK_PARTS * scales_of(type); i++)
            scales[i] = factors.scales[i] * x->scales[i / scales_of(type)];
        if (has_minima(type)) {
#pragma clang loop unroll(full)
            for (int p = 0; p < BLOCK_PARTS; p++)
                minima[p] = factors.minima[p] * x->sums[p];
        }
        break;
    }
    default:
#pragma clang loop unroll(full)
        for (int p = 0; p < count; p++)
            halves[p] = load_u16(w + p * step);
        scale_products(halves, x->scales, scales);
        if (has_minima(type)) {
#pragma clang loop unroll(full)
            for (int p = 0; p < count; p++)
                halves[p] = load_u16(w + p * step + 2);
            scale_products(halves, x->sums, minima);
        }
    }
    if (has_minima(type)) {
        dot_float lanes;
        for (size_t i = 0; i < sizeof minima; i += sizeof lanes) {
            __builtin_memcpy(&lanes, (const char *)minima + i, sizeof lanes);
            *sum += lanes;
        }
    }
}

/* Adds the products of rows with one part of a chunk; scales are those of the
 * weights, times those of the token. */
INLINE void add_part(const int rows, const int type, const uint8_t *w,
                     ptrdiff_t size, const input_chunk *chunk,
                     float scales[4][2 * BLOCK_PARTS], int part,
                     dot_float sums[4]) {
    const int zero = zero_of(type), factors = scales_of(type);
    block_input x = load_input(zero, chunk->values + part * QUANT_BLOCK);
    if (!is_k_type(type))
        w += part * ck_block_size(type);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
        sums[r] = add_dot(sums[r], zero, factors,
                          load_quants(type, w + r * size, part), x,
                          scales[r] + part * factors);
}

/* Adds the products of rows with count <= BLOCK_PARTS parts of a token. */
INLINE void add_chunk(const int rows, const int type, const uint8_t *w,
                      ptrdiff_t size, const ck_quantized *x, ptrdiff_t part,
                      const int count, dot_float sums[4]) {
    const input_chunk chunk = chunk_of(type, x, part, count);
    float scales[4][2 * BLOCK_PARTS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        prefetch(w + r * size + bytes_ahead(type, size),
                 row_size(type, count * QUANT_BLOCK));
        chunk_scales(type, w + r * size, &chunk, count, scales[r], &sums[r]);
    }
    /* Unrolled so far that shifts are constants, and no further, so that
     * scales are read from memory. */
    if (type == CK_Q5_K || type == CK_Q6_K) {
#pragma clang loop unroll(full)
        for (int p = 0; p < BLOCK_PARTS; p++)
            add_part(rows, type, w, size, &chunk, scales, p, sums);
    } else if (type == CK_Q4_K) {
#pragma clang loop unroll_count(2)
        for (int p = 0; p < BLOCK_PARTS; p++)
            add_part(rows, type, w, size, &chunk, scales, p, sums);
    } else {
#pragma clang loop unroll(disable)
        for (int p = 0; p < count; p++)
            add_part(rows, type, w, size, &chunk, scales, p, sums);
    }
}

#ifdef HAS_Q4_0_CHUNKS
/* Adds the products of rows of Q4_0 with the parts of a token from first, as
 * far as these are whole chunks; returns how many that are. */
INLINE ptrdiff_t add_q4_0_chunks(const int rows, const uint8_t *w,
                                 ptrdiff_t size, const ck_quantized *x,
                                 ptrdiff_t first, dot_float sums[4]) {
    const ptrdiff_t chunk_size = row_size(CK_Q4_0, BLOCK_PARTS * QUANT_BLOCK);
    const int8_t *values = x->values + first * QUANT_BLOCK;
    vf wide_sums[4] = {};
    ptrdiff_t p = 0;
    for (; p + BLOCK_PARTS <= x->blocks; p += BLOCK_PARTS) {
        const quad_input quads[2] = {load_quad(values),
                                     load_quad(values + 4 * QUANT_BLOCK)};
        float8 scales;
        __builtin_memcpy(&scales, x->scales + first + p, sizeof scales);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            prefetch(w + r * size + bytes_ahead(CK_Q4_0, size), chunk_size);
            wide_sums[r] =
                add_q4_0_chunk(wide_sums[r], w + r * size, quads, scales);
        }
        values += BLOCK_PARTS * QUANT_BLOCK;
        w += chunk_size;
    }
    for (int r = 0; r < rows; r++)
        sums[r] += add_halves(wide_sums[r]);
    return p;
}
#endif

INLINE void few_rows_int8(const int rows, const int type,
                          const ck_matmul_args *args, ptrdiff_t first,
                          ptrdiff_t token) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    const ck_quantized x =
        ck_quantized_in(args->scratch, args->x.rows, columns);
    const uint8_t *w = weight_row(&args->w, type, first);
    const ptrdiff_t start = token * x.blocks;
    dot_float sums[4] = {};
    ptrdiff_t p = 0;
#ifdef HAS_Q4_0_CHUNKS
    if (type == CK_Q4_0)
        p = add_q4_0_chunks(rows, w, size, &x, start, sums);
#endif
    for (; p + BLOCK_PARTS <= x.blocks; p += BLOCK_PARTS)
        add_chunk(rows, type, w + row_size(type, p * QUANT_BLOCK), size, &x,
                  start + p, BLOCK_PARTS, sums);
    if (!is_k_type(type)) {
        for (; p < x.blocks; p++)
            add_chunk(rows, type, w + row_size(type, p * QUANT_BLOCK), size, &x,
                      start + p, 1, sums);
    }
    for (int r = 0; r < rows; r++)
        put_output(args, token, first + r, sum_lanes(widen(sums[r])));
}

#include "matmul_interleaved.inc.h"

INLINE void few_item(const int type, const ck_matmul_args *args,
                     ptrdiff_t first, ptrdiff_t last) {
    const int is_quantized = ck_is_quantized(type);
    for (ptrdiff_t token = 0; token < args->x.rows; token++) {
        ptrdiff_t row = first;
        if (ck_is_interleaved(type)) {
            few_interleaved(type, args, first, token);
            continue;
        }
        const int at_once = rows_at_once(type);
        for (; row + at_once <= last; row += at_once) {
            if (is_quantized)
                few_rows_int8(at_once, type, args, row, token);
            else
                few_rows(at_once, type, args, row, token);
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
#define ITEM_OF(type)                                                          \
    case type: few_item(type, args, first, last); break;
            QUANTIZED_TYPES(ITEM_OF)
            INTERLEAVED_TYPES(ITEM_OF)
#undef ITEM_OF
        }
    }
}

static void quantize(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                     int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    ck_quantized to =
        ck_quantized_in(args->scratch, args->x.rows, args->x.columns);
    const ptrdiff_t last = end * to.blocks;
    for (ptrdiff_t b = begin * to.blocks; b < last; b += LANES) {
        const float *x = args->x.data + b * QUANT_BLOCK;
        const ptrdiff_t count = at_most(LANES, last - b);
        quantize_blocks(x, count, magnitudes_of_blocks(x, count),
                        to.values + b * QUANT_BLOCK, to.scales + b);
    }
    if (has_minima(args->w.type) || ck_is_interleaved(args->w.type))
        for (ptrdiff_t b = begin * to.blocks; b < last; b++)
            sum_halves(to.values + b * QUANT_BLOCK, to.sums + 2 * b);
}
