/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens in f32.
 *
 * A panel of FLOAT_PANEL rows of weights is converted to f32 and transposed
 * once, so that a vector holds the same column of LANES rows. A register tile
 * of FLOAT_TOKENS x FLOAT_PANEL outputs then takes one fused multiply-add per
 * vector, with an activation broadcast from memory and no sum across lanes.
 */

enum {
    FLOAT_PANEL = FLOAT_VECTORS * LANES, /* outputs */
    FLOAT_DEPTH = 256                    /* columns per panel: 32 KiB */
};

/* acc[t][v] += x[t, :] panel[:, v], over depth columns. */
INLINE void float_tile(const int tokens, const float *panel, ptrdiff_t depth,
                       const float *x, ptrdiff_t stride,
                       vf acc[FLOAT_TOKENS][FLOAT_VECTORS]) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        vf w[FLOAT_VECTORS];
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++)
            w[v] = load(panel + k * FLOAT_PANEL + v * LANES);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
            vf s = splat(x[t * stride + k]);
#pragma clang loop unroll(full)
            for (int v = 0; v < FLOAT_VECTORS; v++)
                acc[t][v] += s * w[v];
        }
    }
}

/* Adds the products of some tokens with a panel to out (t, width). */
INLINE void float_tile_to(const int tokens, const float *panel,
                          ptrdiff_t depth, const float *x, ptrdiff_t x_stride,
                          float *out, ptrdiff_t out_stride, ptrdiff_t width) {
    vf acc[FLOAT_TOKENS][FLOAT_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++)
            acc[t][v] = (vf){};
    }
    float_tile(tokens, panel, depth, x, x_stride, acc);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < FLOAT_VECTORS; v++) {
            float *to = out + t * out_stride + v * LANES;
            ptrdiff_t left = width - v * LANES;
            if (left >= LANES)
                store(to, load(to) + acc[t][v]);
            else if (left > 0)
                store_part(to, load_part(to, left) + acc[t][v], left);
        }
    }
}

/* The same for any count of tokens. */
static void float_tiles(ptrdiff_t tokens, const float *panel, ptrdiff_t depth,
                        const float *x, ptrdiff_t x_stride, float *out,
                        ptrdiff_t out_stride, ptrdiff_t width) {
    ptrdiff_t t = 0;
#define TILES_OF(count)                                                        \
    for (; t + (count) <= tokens; t += (count))                                \
        float_tile_to(count, panel, depth, x + t * x_stride, x_stride,         \
                      out + t * out_stride, out_stride, width)
    TILES_OF(FLOAT_TOKENS);
    TILES_OF(4);
    TILES_OF(1);
#undef TILES_OF
}

/* panel[k, r] = w[row + r, first + k] for r < rows, then zeros. */
INLINE void pack_float(const int type, const uint8_t *w, ptrdiff_t size,
                       ptrdiff_t rows, ptrdiff_t first, ptrdiff_t depth,
                       float *panel) {
    for (int v = 0; v < FLOAT_VECTORS; v++) {
        for (ptrdiff_t k = 0; k < depth; k += LANES) {
            ptrdiff_t columns = depth - k < LANES ? depth - k : LANES;
            vf block[LANES];
#pragma clang loop unroll(full)
            for (int i = 0; i < LANES; i++) {
                ptrdiff_t row = v * LANES + i;
                if (row >= rows)
                    block[i] = (vf){};
                else if (columns == LANES)
                    block[i] = load_weights(type, w + row * size, first + k);
                else
                    block[i] = load_weights_part(type, w + row * size,
                                                 first + k, columns);
            }
            transpose(block);
            float *to = panel + k * FLOAT_PANEL + v * LANES;
            for (ptrdiff_t i = 0; i < columns; i++)
                store(to + i * FLOAT_PANEL, block[i]);
        }
    }
}

/* What a product is added to: the bias, or the residual with the bias. */
INLINE void begin_outputs(const ck_matmul_args *args, ptrdiff_t row,
                          ptrdiff_t rows, ptrdiff_t token, ptrdiff_t tokens) {
    for (ptrdiff_t t = token; t < token + tokens; t++) {
        float *out = args->out.data + t * args->out.columns + row;
        for (ptrdiff_t i = 0; i < rows; i++) {
            float bias = args->bias ? args->bias[row + i] : 0;
            out[i] = args->accumulates ? out[i] + bias : bias;
        }
    }
}

typedef struct {
    ptrdiff_t row, rows, token, tokens;
} matmul_tile;

/* The part of the outputs that an item computes. */
INLINE matmul_tile tile_of_item(const ck_matmul_args *args, ptrdiff_t item) {
    ptrdiff_t across =
        (args->w.rows + MATMUL_TILE_ROWS - 1) / MATMUL_TILE_ROWS;
    matmul_tile tile = {item % across * MATMUL_TILE_ROWS, MATMUL_TILE_ROWS,
                        item / across * MATMUL_TILE_TOKENS,
                        MATMUL_TILE_TOKENS};
    if (tile.row + tile.rows > args->w.rows)
        tile.rows = args->w.rows - tile.row;
    if (tile.token + tile.tokens > args->x.rows)
        tile.tokens = args->x.rows - tile.token;
    return tile;
}

INLINE void packed_item(const int type, const ck_matmul_args *args,
                        matmul_tile tile) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    _Alignas(64) float panel[FLOAT_DEPTH * FLOAT_PANEL];
    begin_outputs(args, tile.row, tile.rows, tile.token, tile.tokens);
    for (ptrdiff_t r = 0; r < tile.rows; r += FLOAT_PANEL) {
        ptrdiff_t row = tile.row + r, width = tile.rows - r;
        if (width > FLOAT_PANEL)
            width = FLOAT_PANEL;
        for (ptrdiff_t k = 0; k < columns; k += FLOAT_DEPTH) {
            ptrdiff_t depth =
                columns - k < FLOAT_DEPTH ? columns - k : FLOAT_DEPTH;
            pack_float(type, weight_row(&args->w, type, row), size, width, k,
                       depth, panel);
            float_tiles(tile.tokens, panel, depth,
                        args->x.data + tile.token * columns + k, columns,
                        args->out.data + tile.token * args->out.columns + row,
                        args->out.columns, width);
        }
    }
}

static void matmul_packed(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                          int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    for (ptrdiff_t item = begin; item < end; item++) {
        matmul_tile tile = tile_of_item(args, item);
        switch (args->w.type) {
        case CK_F32: packed_item(CK_F32, args, tile); break;
        case CK_F16: packed_item(CK_F16, args, tile); break;
        case CK_BF16: packed_item(CK_BF16, args, tile); break;
        }
    }
}
