/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens with quantised weights and activations.
 *
 * As in matmul_packed.inc.h, but a lane sums the products of bytes, and a part
 * of 32 columns, or half of it where each half has its own scale, is summed in
 * int32 before it is scaled. Of Q8_row, whose rows have one scale as the tokens
 * have, it is a whole panel. A vector of sums has DOT_TOKENS tokens and of each
 * LANES / DOT_TOKENS outputs.
 */

_Static_assert(TILE_TOKENS % INT8_TOKENS == 0, "whole register tiles");
_Static_assert(INT8_TOKENS % DOT_TOKENS == 0, "whole vectors");

/* A part of INT8_TOKENS quantised tokens, in the order in which it is read. */
typedef struct {
    dot_word words[INT8_GROUPS][INT8_TOKENS];
    float scales[INT8_TOKENS];
    int16_t sums[INT8_TOKENS][2]; /* of the halves, for types with minima */
} input_tile;

/* The tiles of the parts of a row of INT8_TOKENS tokens. */
INLINE input_tile *input_tiles(const ck_matmul_args *args, ptrdiff_t token) {
    ptrdiff_t parts = args->x.columns / QUANT_BLOCK;
    return (input_tile *)args->scratch + token / INT8_TOKENS * parts;
}

/* Quantises count <= LANES blocks of a token into their tiles. */
INLINE void quantize_into(input_tile *tiles, int t, const float *x,
                          ptrdiff_t count, vi magnitudes,
                          const int with_sums) {
    int8_t values[LANES * QUANT_BLOCK];
    float scales[LANES];
    quantize_blocks(x, count, magnitudes, values, scales);
    for (ptrdiff_t b = 0; b < count; b++) {
        dot_word words[INT8_GROUPS];
        bytes32 bytes = load_bytes(values + b * QUANT_BLOCK) ^ INPUT_OFFSET;
        __builtin_memcpy(words, &bytes, sizeof words);
        for (int g = 0; g < INT8_GROUPS; g++)
            tiles[b].words[g][t] = words[g];
        tiles[b].scales[t] = scales[b];
        if (with_sums)
            sum_halves(values + b * QUANT_BLOCK, tiles[b].sums[t]);
    }
}

static void quantize_tiles(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                           int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    const int with_sums = has_minima(args->w.type);
    const ptrdiff_t columns = args->x.columns, blocks = columns / QUANT_BLOCK;
    ptrdiff_t last = at_most(end * TILE_TOKENS, args->x.rows);
    for (ptrdiff_t token = begin * TILE_TOKENS; token < last; token++) {
        input_tile *tiles = input_tiles(args, token);
        const float *x = args->x.data + token * columns;
        vi magnitudes = {};
        if (has_row_scales(args->w.type))
            magnitudes = magnitude_of_token(x, columns);
        for (ptrdiff_t b = 0; b < blocks; b += LANES, x += LANES * QUANT_BLOCK) {
            const ptrdiff_t count = at_most(LANES, blocks - b);
            if (!has_row_scales(args->w.type))
                magnitudes = magnitudes_of_blocks(x, count);
            quantize_into(tiles + b, token % INT8_TOKENS, x, count, magnitudes,
                          with_sums);
        }
    }
}

enum { TILE_ROWS = INT8_TOKENS / DOT_TOKENS };

/* Adds the products of some neighbouring words to the sums of a tile. */
INLINE void add_words(vi sums[TILE_ROWS][PANEL_VECTORS], const int groups,
                      const vi (*w)[PANEL_VECTORS],
                      const dot_word (*x)[INT8_TOKENS]) {
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < PANEL_VECTORS; v++)
                sums[i][v] = dot(sums[i][v], w[g][v], x[g], i * DOT_TOKENS);
        }
    }
}

/* Puts the sums of the first tokens of a tile. */
INLINE void put_sums(tile_output out, ptrdiff_t tokens,
                     const vf sums[TILE_ROWS][PANEL_VECTORS]) {
#pragma clang loop unroll(full)
    for (int t = 0; t < INT8_TOKENS; t++) {
        const vf *row = sums[t / DOT_TOKENS];
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            if (t < tokens)
                put_vector(out, t, v,
                           token_sums(row + v * DOT_TOKENS, t % DOT_TOKENS));
    }
}

/* Sums of products with vector v of a panel, times the scales of weights. */
INLINE vf scaled_sums(const sum_factors *factors, int v, vi sums) {
    vf scales = row_factors((const float *)factors->scales, v);
    if (INPUT_OFFSET)
        return (vf)sums * scales + factors->offsets[v];
    return to_float(sums) * scales;
}

/* The products of a panel with tokens <= INT8_TOKENS tokens. */
INLINE void int8_tile(const int type, const int8_panel *panel, ptrdiff_t parts,
                      const input_tile *x, ptrdiff_t tokens, tile_output out) {
    const int halves = scales_of(type), groups = INT8_GROUPS / halves;
    vf acc[TILE_ROWS][PANEL_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < PANEL_VECTORS; v++)
            acc[i][v] = (vf){};
    }
    for (ptrdiff_t p = 0; p < parts; p++, x++) {
        for (int half = 0; half < halves; half++) {
            const sum_factors *factors = &panel->factors[p][half];
            vi sums[TILE_ROWS][PANEL_VECTORS];
#pragma clang loop unroll(full)
            for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
                for (int v = 0; v < PANEL_VECTORS; v++)
                    sums[i][v] = INPUT_OFFSET ? factors->starts[v] : (vi){};
            }
            add_words(sums, groups,
                         panel->weights + p * INT8_GROUPS + half * groups,
                         x->words + half * groups);
#pragma clang loop unroll(full)
            for (int i = 0; i < TILE_ROWS; i++) {
                vf scales = token_factors(x->scales + i * DOT_TOKENS);
#pragma clang loop unroll(full)
                for (int v = 0; v < PANEL_VECTORS; v++)
                    acc[i][v] += scaled_sums(factors, v, sums[i][v]) * scales;
            }
        }
        if (!has_minima(type))
            continue;
#pragma clang loop unroll(full)
        for (int i = 0; i < TILE_ROWS; i++) {
            float totals[DOT_TOKENS];
#pragma clang loop unroll(full)
            for (int t = 0; t < DOT_TOKENS; t++) {
                const int16_t *sums = x->sums[i * DOT_TOKENS + t];
                totals[t] = x->scales[i * DOT_TOKENS + t] *
                            (float)(sums[0] + sums[1]);
            }
#pragma clang loop unroll(full)
            for (int v = 0; v < PANEL_VECTORS; v++)
                acc[i][v] += row_factors((const float *)panel->minima[p], v) *
                             token_factors(totals);
        }
    }
    put_sums(out, tokens, acc);
}

/* The same of Q8_row: sums are scaled when all parts are in. */
INLINE void row_scales_tile(const int8_panel *panel, ptrdiff_t parts,
                            const input_tile *x, ptrdiff_t tokens,
                            tile_output out) {
    const sum_factors *factors = &panel->factors[0][0];
    const float *scales = x->scales;
    vi sums[TILE_ROWS][PANEL_VECTORS];
    vf scaled[TILE_ROWS][PANEL_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < PANEL_VECTORS; v++)
            sums[i][v] = INPUT_OFFSET ? factors->starts[v] : (vi){};
    }
    for (ptrdiff_t p = 0; p < parts; p++, x++)
        add_words(sums, INT8_GROUPS, panel->weights + p * INT8_GROUPS,
                     x->words);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < PANEL_VECTORS; v++)
            scaled[i][v] = to_float(sums[i][v]) *
                           row_factors((const float *)factors->scales, v) *
                           token_factors(scales + i * DOT_TOKENS);
    }
    put_sums(out, tokens, scaled);
}

INLINE void int8_item(const int type, const ck_matmul_args *args,
                      matmul_tile tile) {
    const ptrdiff_t size = row_size(type, args->w.columns);
    const ptrdiff_t all = args->x.columns / QUANT_BLOCK;
    int8_panel panel;
    for (ptrdiff_t r = 0; r < tile.rows; r += INT8_PANEL) {
        ptrdiff_t row = tile.row + r;
        ptrdiff_t width = at_most(INT8_PANEL, tile.rows - r);
        const uint8_t *w = weight_row(&args->w, type, row);
        for (ptrdiff_t p = 0; p < all; p += INT8_BLOCKS) {
            ptrdiff_t parts = at_most(INT8_BLOCKS, all - p);
            tile_output out = output_of_tile(args, row, width, p == 0);
            const next_panel next = panel_after(type, w, size, INT8_PANEL,
                                                p * QUANT_BLOCK,
                                                parts * QUANT_BLOCK, args);
            pack_int8(type, &args->w, row, width, p, parts, &panel);
            for (ptrdiff_t t = 0; t < tile.tokens; t += INT8_TOKENS) {
                prefetch_panel(next, t, INT8_TOKENS, tile.tokens);
                const input_tile *x = input_tiles(args, tile.token + t) + p;
                const tile_output to = at_token(out, tile.token + t);
                if (has_row_scales(type))
                    row_scales_tile(&panel, parts, x, tile.tokens - t, to);
                else
                    int8_tile(type, &panel, parts, x, tile.tokens - t, to);
            }
        }
    }
}

static void matmul_int8_packed(const void *pointer, ptrdiff_t begin,
                               ptrdiff_t end, int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    for (ptrdiff_t item = begin; item < end; item++) {
        matmul_tile tile = tile_of_item(args, item);
        switch (args->w.type) {
#define ITEM_OF(type)                                                          \
    case type: int8_item(type, args, tile); break;
            QUANTIZED_TYPES(ITEM_OF)
            INTERLEAVED_TYPES(ITEM_OF)
            ITEM_OF(CK_Q8_ROW)
#undef ITEM_OF
        }
    }
}
