/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens with quantised weights and activations.
 *
 * As in matmul_packed.inc.h, but a lane holds four bytes of its row, and a
 * part of 32 columns, or half of it where each half has its own scale, is
 * summed in int32 before it is scaled. Activations are stored as value +
 * INPUT_OFFSET where the instructions multiply unsigned by signed bytes; a sum
 * starts with what this will add, negated.
 */

enum {
    INT8_PANEL = INT8_VECTORS * LANES, /* outputs */
    INT8_BLOCKS = 24,                  /* parts of columns per panel */
    INT8_GROUPS = QUANT_BLOCK / 4,     /* groups of four bytes in a part */
    /* Parts that fill a vector, if a part does not fill several. */
    TURNED_PARTS = LANES > INT8_GROUPS ? LANES / INT8_GROUPS : 1
};
_Static_assert(TILE_TOKENS % INT8_TOKENS == 0, "whole register tiles");
_Static_assert(INT8_BLOCKS % BLOCK_PARTS == 0, "whole blocks");
_Static_assert(INT8_BLOCKS % TURNED_PARTS == 0, "whole vectors");

typedef struct {
    _Alignas(64) vi weights[INT8_BLOCKS * INT8_GROUPS][INT8_VECTORS];
    vi starts[INT8_BLOCKS][2][INT8_VECTORS]; /* the second only of halves */
    vf scales[INT8_BLOCKS][2][INT8_VECTORS]; /* alike */
    vf minima[INT8_BLOCKS][INT8_VECTORS];    /* if the type has them */
} int8_panel;

/*
 * Transposes the quants of some neighbouring parts of LANES rows, so that a
 * vector holds the same word of each row. Rows and parts that are not there
 * are 0.
 */
INLINE void pack_quants(const int type, const uint8_t *w, ptrdiff_t size,
                        ptrdiff_t rows, const int part, ptrdiff_t parts,
                        ptrdiff_t at, int v, int8_panel *panel) {
    bytes32 quants[LANES][TURNED_PARTS];
#pragma clang loop unroll(full)
    for (int r = 0; r < LANES; r++) {
        const uint8_t *block = w + r * size;
#pragma clang loop unroll(full)
        for (int p = 0; p < TURNED_PARTS; p++) {
            quants[r][p] = (bytes32){};
            if (r < rows && part + p < parts)
                quants[r][p] = load_quants(type, block, part + p) -
                               (uint8_t)zero_of(type);
            block += is_k_type(type) ? 0 : block_size(type);
        }
    }
#pragma clang loop unroll(full)
    for (int word = 0; word < TURNED_PARTS * INT8_GROUPS; word += LANES) {
        vf turned[LANES];
#pragma clang loop unroll(full)
        for (int r = 0; r < LANES; r++)
            turned[r] = load((const float *)quants[r] + word);
        transpose(turned);
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++)
            panel->weights[at * INT8_GROUPS + word + i][v] = (vi)turned[i];
    }
    if (INPUT_OFFSET == 0)
        return;
    const int halves = scales_of(type), groups = INT8_GROUPS / halves;
    for (int half = 0; half < TURNED_PARTS * halves; half++) {
        vi sum = {};
        for (int g = 0; g < groups; g++)
            sum = dot4(sum,
                       panel->weights[at * INT8_GROUPS + half * groups + g][v],
                       INPUT_OFFSET * 0x01010101);
        panel->starts[at + half / halves][half % halves][v] = -sum;
    }
}

/* Spreads the scales and minima of a block of one row. */
INLINE void pack_factors(const int type, const block_factors *factors,
                         ptrdiff_t part, ptrdiff_t row, int8_panel *panel) {
    for (int p = 0; p < parts_of(type); p++) {
        for (int s = 0; s < scales_of(type); s++)
            ((float *)panel->scales[part + p][s])[row] =
                factors->scales[p * scales_of(type) + s];
        if (has_minima(type))
            ((float *)panel->minima[part + p])[row] = factors->minima[p];
    }
}

/* Packs some parts of rows <= INT8_PANEL rows; the rest of the panel is 0. */
INLINE void pack_int8(const int type, const uint8_t *w, ptrdiff_t size,
                      ptrdiff_t rows, ptrdiff_t parts, int8_panel *panel) {
    const int step = is_k_type(type) ? BLOCK_PARTS : TURNED_PARTS;
    for (ptrdiff_t p = 0; p < parts; p += parts_of(type)) {
        const uint8_t *block = w + row_size(type, p * QUANT_BLOCK);
        for (ptrdiff_t r = 0; r < INT8_PANEL; r++) {
            block_factors factors = {};
            if (r < rows)
                factors = read_factors(type, block + r * size);
            pack_factors(type, &factors, p, r, panel);
        }
    }
    for (int v = 0; v < INT8_VECTORS; v++) {
        const ptrdiff_t count = at_most(LANES, rows - v * LANES);
        for (ptrdiff_t p = 0; p < parts; p += step) {
            const uint8_t *block =
                w + v * LANES * size + row_size(type, p * QUANT_BLOCK);
#pragma clang loop unroll(full)
            for (int part = 0; part < step; part += TURNED_PARTS) {
                if (count == LANES && parts - p >= step)
                    pack_quants(type, block, size, LANES, part, step,
                                p + part, v, panel);
                else
                    pack_quants(type, block, size, count, part, parts - p,
                                p + part, v, panel);
            }
        }
    }
}

/* A part of INT8_TOKENS quantised tokens, in the order in which it is read. */
typedef struct {
    uint32_t words[INT8_GROUPS][INT8_TOKENS]; /* of four values each */
    float scales[INT8_TOKENS];
    int16_t sums[INT8_TOKENS][2]; /* of the values of each half */
} input_tile;

/* The tiles of the parts of a row of INT8_TOKENS tokens. */
INLINE input_tile *input_tiles(const ck_matmul_args *args, ptrdiff_t token) {
    ptrdiff_t parts = args->x.columns / QUANT_BLOCK;
    return (input_tile *)args->scratch + token / INT8_TOKENS * parts;
}

static void quantize_tiles(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                           int worker) {
    (void)worker;
    const ck_matmul_args *args = pointer;
    const ptrdiff_t columns = args->x.columns;
    ptrdiff_t last = at_most(end * TILE_TOKENS, args->x.rows);
    for (ptrdiff_t token = begin * TILE_TOKENS; token < last;
         token += INT8_TOKENS) {
        input_tile *tile = input_tiles(args, token);
        for (ptrdiff_t k = 0; k < columns; k += QUANT_BLOCK, tile++) {
            for (int t = 0; t < at_most(INT8_TOKENS, last - token); t++) {
                int8_t values[QUANT_BLOCK];
                tile->scales[t] =
                    quantize_block(args->x.data + (token + t) * columns + k,
                                   values, tile->sums[t]);
                uint32_t words[INT8_GROUPS];
                bytes32 bytes = load_bytes(values) ^ INPUT_OFFSET;
                __builtin_memcpy(words, &bytes, sizeof words);
                for (int g = 0; g < INT8_GROUPS; g++)
                    tile->words[g][t] = words[g];
            }
        }
    }
}

/* The products of a panel with tokens <= INT8_TOKENS tokens. */
INLINE void int8_tile(const int type, const int8_panel *panel, ptrdiff_t parts,
                      const input_tile *x, ptrdiff_t tokens, tile_output out) {
    const int scales = scales_of(type), groups = INT8_GROUPS / scales;
    vf acc[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < INT8_TOKENS; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            acc[t][v] = (vf){};
    }
    for (ptrdiff_t p = 0; p < parts; p++, x++) {
        for (int s = 0; s < scales; s++) {
            vi sums[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
            for (int t = 0; t < INT8_TOKENS; t++) {
#pragma clang loop unroll(full)
                for (int v = 0; v < INT8_VECTORS; v++)
                    sums[t][v] = INPUT_OFFSET ? panel->starts[p][s][v] : (vi){};
            }
#pragma clang loop unroll(full)
            for (int g = s * groups; g < (s + 1) * groups; g++) {
                const vi *w = panel->weights[p * INT8_GROUPS + g];
#pragma clang loop unroll(full)
                for (int t = 0; t < INT8_TOKENS; t++) {
#pragma clang loop unroll(full)
                    for (int v = 0; v < INT8_VECTORS; v++)
                        sums[t][v] = dot4(sums[t][v], w[v], x->words[g][t]);
                }
            }
#pragma clang loop unroll(full)
            for (int t = 0; t < INT8_TOKENS; t++) {
                float scale = x->scales[t];
                float total = scale * (float)(x->sums[t][0] + x->sums[t][1]);
#pragma clang loop unroll(full)
                for (int v = 0; v < INT8_VECTORS; v++) {
                    acc[t][v] += to_float(sums[t][v]) *
                                 (panel->scales[p][s][v] * scale);
                    if (has_minima(type))
                        acc[t][v] += panel->minima[p][v] * total;
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < INT8_TOKENS; t++) {
        if (t >= tokens)
            break;
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            put_vector(out, t, v, acc[t][v]);
    }
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
            pack_int8(type, w + row_size(type, p * QUANT_BLOCK), size, width,
                      parts, &panel);
            for (ptrdiff_t t = 0; t < tile.tokens; t += INT8_TOKENS)
                int8_tile(type, &panel, parts,
                          input_tiles(args, tile.token + t) + p,
                          tile.tokens - t, at_token(out, tile.token + t));
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
#undef ITEM_OF
        }
    }
}
