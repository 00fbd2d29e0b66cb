/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens with weights that are not quantised.
 *
 * A panel of FLOAT_PANEL rows of weights is converted to f32 and transposed
 * once, so that a vector holds the same column of LANES rows. A register tile
 * of FLOAT_TOKENS x FLOAT_PANEL outputs then takes one fused multiply-add per
 * vector, with an activation broadcast from memory and no sum across lanes.
 *
 * A set may multiply the weights of a PAIR_TYPE of 16 bits in pairs: two
 * columns are a word that lies in the panel as a float would, and an
 * instruction takes two products per lane. Activations are rounded to that type
 * for it; sums are f32 at least from panel to panel.
 */

enum {
    FLOAT_PANEL = FLOAT_VECTORS * LANES, /* outputs */
    FLOAT_DEPTH = 256,                   /* columns per panel: 32 KiB */
    FLOAT_STEP = 60 /* tokens between requests for the next panel */
};
_Static_assert(FLOAT_STEP % FLOAT_TOKENS == 0, "whole register tiles");

#ifndef PAIR_TYPE /* the set has no pairs: none of this is ever called */
enum { PAIR_TYPE = -1, PAIR_DEPTH = 0 };
INLINE vf pairs_of(vf low, vf high) { return low + high; }
INLINE vf add_pairs(vf sums, vi x, vf w) { return sums + (vf)x * w; }
INLINE vf sums_of_pairs(vf sums) { return sums; }
#endif

/* Adds the products of a word of a token with one of each of LANES rows. */
INLINE vf add_products(const int pairs, vf sums, const float *x, vf w) {
    return pairs ? add_pairs(sums, splat_word(x), w) : sums + splat(*x) * w;
}

/* acc[t][v] += x[t, :] panel[:, v] for v < vectors, over depth words; word k of
 * token t is x[t * stride + k * step]. */
INLINE void float_tile(const int pairs, const int tokens, const int vectors,
                       const float *panel, ptrdiff_t depth, const float *x,
                       ptrdiff_t stride, const ptrdiff_t step,
                       vf acc[FLOAT_TOKENS][FLOAT_VECTORS]) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        vf w[FLOAT_VECTORS];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            w[v] = load(panel + k * FLOAT_PANEL + v * LANES);
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++)
                acc[t][v] = add_products(
                    pairs, acc[t][v], x + t * stride + k * step, w[v]);
        }
    }
}

/* The products of some tokens with the first vectors of a panel. */
INLINE void float_tile_to(const int pairs, const int tokens, const int vectors,
                          const float *panel, ptrdiff_t depth, const float *x,
                          ptrdiff_t stride, const ptrdiff_t step,
                          tile_output out) {
    vf acc[FLOAT_TOKENS][FLOAT_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            acc[t][v] = (vf){};
    }
    float_tile(pairs, tokens, vectors, panel, depth, x, stride, step, acc);
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
            put_vector(out, t, v,
                       pairs ? sums_of_pairs(acc[t][v]) : acc[t][v]);
    }
}

/* The same for any count of tokens. */
INLINE void tiles_of_panel(ptrdiff_t tokens, const int vectors,
                           const float *panel, ptrdiff_t depth, const float *x,
                           ptrdiff_t stride, const ptrdiff_t step,
                           tile_output out) {
    ptrdiff_t t = 0;
#define TILES_OF(count)                                                        \
    for (; t + (count) <= tokens; t += (count))                                \
        float_tile_to(0, count, vectors, panel, depth, x + t * stride, stride, \
                      step, at_token(out, t))
    TILES_OF(FLOAT_TOKENS);
    TILES_OF(FLOAT_TOKENS < 4 ? 1 : 4);
    TILES_OF(1);
#undef TILES_OF
}

/* The products of tokens, which are rows of x, with a panel. */
static void float_tiles(ptrdiff_t tokens, const float *panel, ptrdiff_t depth,
                        const float *x, ptrdiff_t stride, tile_output out) {
    tiles_of_panel(tokens, FLOAT_VECTORS, panel, depth, x, stride, 1, out);
}

/* words[t, :] = count columns of x[t, :], rounded, two to a word, with zeros to
 * the end of a vector. */
INLINE void round_tokens(ptrdiff_t tokens, ptrdiff_t count, const float *x,
                         ptrdiff_t stride, float *words) {
    for (ptrdiff_t t = 0; t < tokens; t++) {
        const float *token = x + t * stride;
        float *to = words + t * PAIR_DEPTH;
        ptrdiff_t k = 0;
        for (; k + 2 * LANES <= count; k += 2 * LANES)
            store(to + k / 2,
                  pairs_of(load(token + k), load(token + k + LANES)));
        if (k < count) {
            vf low = load_at(token, k, count), high = {};
            if (k + LANES < count)
                high = load_at(token, k + LANES, count);
            store(to + k / 2, pairs_of(low, high));
        }
    }
}

/* As float_tiles, with a panel of pairs for depth columns. */
static void pair_tiles(ptrdiff_t tokens, const float *panel, ptrdiff_t depth,
                       const float *x, ptrdiff_t stride, tile_output out) {
    _Alignas(64) float words[FLOAT_TOKENS * PAIR_DEPTH];
    ptrdiff_t t = 0;
#define TILES_OF(count)                                                        \
    for (; t + (count) <= tokens; t += (count)) {                              \
        round_tokens(count, depth, x + t * stride, stride, words);             \
        float_tile_to(1, count, FLOAT_VECTORS, panel, depth / 2, words,        \
                      PAIR_DEPTH, 1, at_token(out, t));                        \
    }
    TILES_OF(FLOAT_TOKENS);
    TILES_OF(FLOAT_TOKENS < 4 ? 1 : 4);
    TILES_OF(1);
#undef TILES_OF
}

/* to[k, r] = w[r, first + k] for k < columns and r < rows, then zeros. */
INLINE void pack_block(const int type, const uint8_t *w, ptrdiff_t size,
                       ptrdiff_t rows, ptrdiff_t first, ptrdiff_t columns,
                       float *to) {
    vf block[LANES];
#pragma clang loop unroll(full)
    for (int r = 0; r < LANES; r++) {
        if (r >= rows)
            block[r] = (vf){};
        else if (columns == LANES)
            block[r] = load_weights(type, w + r * size, first);
        else
            block[r] = load_weights_part(type, w + r * size, first, columns);
    }
    transpose(block);
#pragma clang loop unroll(full)
    for (int k = 0; k < LANES; k++) {
        if (k < columns)
            store(to + k * FLOAT_PANEL, block[k]);
    }
}

/* panel[k, r] = w[row + r, first + k] for r < rows, then zeros. */
INLINE void pack_float(const int type, const uint8_t *w, ptrdiff_t size,
                       ptrdiff_t rows, ptrdiff_t first, ptrdiff_t depth,
                       float *panel) {
    for (int v = 0; v < FLOAT_VECTORS; v++) {
        const uint8_t *from = w + v * LANES * size;
        ptrdiff_t count = rows - v * LANES;
        for (ptrdiff_t k = 0; k < depth; k += LANES) {
            float *to = panel + k * FLOAT_PANEL + v * LANES;
            if (count >= LANES && depth - k >= LANES)
                pack_block(type, from, size, LANES, first + k, LANES, to);
            else
                pack_block(type, from, size, count, first + k,
                           at_most(LANES, depth - k), to);
        }
    }
}

/* panel[k, i] = x[k, i] for i < width, then zeros; rows of x by stride. */
INLINE void pack_columns(const float *x, ptrdiff_t stride, ptrdiff_t depth,
                         ptrdiff_t width, float *panel) {
    for (ptrdiff_t k = 0; k < depth; k++)
        for (ptrdiff_t i = 0; i < FLOAT_PANEL; i += LANES)
            store(panel + k * FLOAT_PANEL + i,
                  i < width ? load_at(x + k * stride, i, width) : (vf){});
}

INLINE void packed_item(const int type, const int pairs,
                        const ck_matmul_args *args, matmul_tile tile) {
    const ptrdiff_t columns = args->w.columns, size = row_size(type, columns);
    const ptrdiff_t limit = pairs ? 2 * PAIR_DEPTH : FLOAT_DEPTH;
    _Alignas(64) float panel[FLOAT_DEPTH * FLOAT_PANEL];
    for (ptrdiff_t r = 0; r < tile.rows; r += FLOAT_PANEL) {
        ptrdiff_t row = tile.row + r;
        ptrdiff_t width = at_most(FLOAT_PANEL, tile.rows - r);
        for (ptrdiff_t k = 0; k < columns; k += limit) {
            ptrdiff_t depth = at_most(limit, columns - k);
            tile_output out = output_of_tile(args, row, width, k == 0);
            const uint8_t *w = weight_row(&args->w, type, row);
            const next_panel next =
                panel_after(type, w, size, FLOAT_PANEL, k, depth, args);
            if (pairs)
                pack_float(CK_F32, w, size, width, k / 2, depth / 2, panel);
            else
                pack_float(type, w, size, width, k, depth, panel);
            for (ptrdiff_t t = 0; t < tile.tokens; t += FLOAT_STEP) {
                prefetch_panel(next, t, FLOAT_STEP, tile.tokens);
                (pairs ? pair_tiles : float_tiles)(
                    at_most(FLOAT_STEP, tile.tokens - t), panel, depth,
                    args->x.data + (tile.token + t) * columns + k, columns,
                    at_token(out, tile.token + t));
            }
        }
    }
}

/* In pairs if the set has those of the type, and no column is left over. */
INLINE void float_item(const int type, const ck_matmul_args *args,
                       matmul_tile tile) {
    if (type == PAIR_TYPE && args->w.columns % 2 == 0)
        packed_item(type, 1, args, tile);
    else
        packed_item(type, 0, args, tile);
}

static void matmul_packed(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                          int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    for (ptrdiff_t item = begin; item < end; item++) {
        matmul_tile tile = tile_of_item(args, item);
        switch (args->w.type) {
        case CK_F32: float_item(CK_F32, args, tile); break;
        case CK_F16: float_item(CK_F16, args, tile); break;
        case CK_BF16: float_item(CK_BF16, args, tile); break;
        }
    }
}
