/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens with quantised weights and activations.
 *
 * As in matmul_packed.inc.h, but a lane holds four bytes of its row, and a
 * part of 32 columns, or half of it where each half has its own scale, is
 * summed in int32 before it is scaled. Weights are stored as value +
 * PACKED_OFFSET where the instructions multiply unsigned by signed bytes; a sum
 * starts with what this will add, negated.
 */

enum {
    INT8_PANEL = INT8_VECTORS * LANES, /* outputs */
    INT8_BLOCKS = 32,                  /* parts of columns per panel */
    INT8_GROUPS = QUANT_BLOCK / 4      /* groups of four bytes in a part */
};

typedef struct {
    _Alignas(64) vi weights[INT8_BLOCKS][INT8_GROUPS][INT8_VECTORS];
    vf scales[INT8_BLOCKS][2][INT8_VECTORS]; /* the second only of halves */
    vf minima[INT8_BLOCKS][INT8_VECTORS];    /* if the type has them */
} int8_panel;

/* Packs the parts of a block of one row. */
INLINE void pack_block(const int type, const uint8_t *block, ptrdiff_t row,
                       ptrdiff_t part, int8_panel *panel) {
    const block_factors factors = read_factors(type, block);
    const int scales = scales_of(type);
    for (int p = 0; p < parts_of(type); p++) {
        int32_t bytes[INT8_GROUPS];
        int32_t *groups = (int32_t *)panel->weights[part + p];
        bytes32 values = load_quants(type, block, p) - (uint8_t)zero_of(type);
        values ^= PACKED_OFFSET;
        __builtin_memcpy(bytes, &values, sizeof bytes);
        for (int g = 0; g < INT8_GROUPS; g++)
            groups[g * INT8_PANEL + row] = bytes[g];
        for (int s = 0; s < scales; s++)
            ((float *)panel->scales[part + p][s])[row] =
                factors.scales[p * scales + s];
        if (has_minima(type))
            ((float *)panel->minima[part + p])[row] = factors.minima[p];
    }
}

/* The same for a row that is not there. */
INLINE void pack_zeros(const int type, ptrdiff_t row, ptrdiff_t part,
                       int8_panel *panel) {
    for (int p = 0; p < parts_of(type); p++) {
        int32_t *groups = (int32_t *)panel->weights[part + p];
        for (int g = 0; g < INT8_GROUPS; g++)
            groups[g * INT8_PANEL + row] = 0;
        for (int s = 0; s < scales_of(type); s++)
            ((float *)panel->scales[part + p][s])[row] = 0;
        ((float *)panel->minima[part + p])[row] = 0;
    }
}

/* Packs some parts of rows <= INT8_PANEL rows; the rest of the panel is 0. */
INLINE void pack_int8(const int type, const uint8_t *w, ptrdiff_t size,
                      ptrdiff_t rows, ptrdiff_t parts, int8_panel *panel) {
    for (ptrdiff_t p = 0; p < parts; p += parts_of(type)) {
        const uint8_t *block = w + row_size(type, p * QUANT_BLOCK);
        for (ptrdiff_t r = 0; r < rows; r++)
            pack_block(type, block + r * size, r, p, panel);
        for (ptrdiff_t r = rows; r < INT8_PANEL; r++)
            pack_zeros(type, r, p, panel);
    }
}

INLINE void int8_tile(const int type, const int tokens,
                      const int8_panel *panel, ptrdiff_t parts,
                      const ck_quantized *x, ptrdiff_t token, ptrdiff_t first,
                      tile_output out) {
    const int scales = scales_of(type);
    vf acc[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            acc[t][v] = (vf){};
    }
    for (ptrdiff_t i = 0; i < parts * scales; i++) {
        const ptrdiff_t p = i / scales;         /* the part in the panel */
        const int s = (int)(i % scales);        /* which half, if it has two */
        const int groups = INT8_GROUPS / scales;
        const ptrdiff_t at = token * x->blocks + first + p;
        int totals[INT8_TOKENS]; /* of the values that are multiplied */
        vi sums[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
            const int16_t *halves = x->sums + 2 * (at + t * x->blocks);
            totals[t] = scales == 2 ? halves[s] : halves[0] + halves[1];
#pragma clang loop unroll(full)
            for (int v = 0; v < INT8_VECTORS; v++)
                sums[t][v] = splat_int(-PACKED_OFFSET * totals[t]);
        }
#pragma clang loop unroll(disable) /* unrolled, it runs out of registers */
        for (int g = s * groups; g < (s + 1) * groups; g++) {
#pragma clang loop unroll(full)
            for (int t = 0; t < tokens; t++) {
                int32_t bytes;
                __builtin_memcpy(&bytes,
                                 x->values +
                                     (at + t * x->blocks) * QUANT_BLOCK + 4 * g,
                                 sizeof bytes);
#pragma clang loop unroll(full)
                for (int v = 0; v < INT8_VECTORS; v++)
                    sums[t][v] =
                        dot4(sums[t][v], panel->weights[p][g][v], bytes);
            }
        }
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
            float scale = x->scales[at + t * x->blocks];
            float total = scale * totals[t];
#pragma clang loop unroll(full)
            for (int v = 0; v < INT8_VECTORS; v++) {
                acc[t][v] +=
                    to_float(sums[t][v]) * (panel->scales[p][s][v] * scale);
                if (has_minima(type))
                    acc[t][v] += panel->minima[p][v] * total;
            }
        }
    }
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            put_vector(out, t, v, acc[t][v]);
    }
}

INLINE void int8_item(const int type, const ck_matmul_args *args,
                      matmul_tile tile) {
    const ptrdiff_t size = row_size(type, args->w.columns);
    const ck_quantized x =
        ck_quantized_in(args->scratch, args->x.rows, args->x.columns);
    int8_panel panel;
    for (ptrdiff_t r = 0; r < tile.rows; r += INT8_PANEL) {
        ptrdiff_t row = tile.row + r;
        ptrdiff_t width = at_most(INT8_PANEL, tile.rows - r);
        const uint8_t *w = weight_row(&args->w, type, row);
        for (ptrdiff_t p = 0; p < x.blocks; p += INT8_BLOCKS) {
            ptrdiff_t parts = at_most(INT8_BLOCKS, x.blocks - p);
            tile_output out = output_of_tile(args, row, width, p == 0);
            pack_int8(type, w + row_size(type, p * QUANT_BLOCK), size, width,
                      parts, &panel);
            ptrdiff_t t = tile.token, last = tile.token + tile.tokens;
#define TILES_OF(count)                                                        \
    for (; t + (count) <= last; t += (count))                                  \
        int8_tile(type, count, &panel, parts, &x, t, p, at_token(out, t))
            TILES_OF(INT8_TOKENS);
            TILES_OF(2);
            TILES_OF(1);
#undef TILES_OF
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
