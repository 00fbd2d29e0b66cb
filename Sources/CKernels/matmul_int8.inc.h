/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products for many tokens with quantised weights and activations.
 *
 * As in matmul_packed.inc.h, but a lane holds four bytes of its row, and a
 * block of 32 columns is summed in int32 before it is scaled. Weights are
 * stored as value + PACKED_OFFSET where the instructions multiply unsigned by
 * signed bytes; a sum starts with what this will add, negated.
 */

enum {
    INT8_PANEL = INT8_VECTORS * LANES, /* outputs */
    INT8_BLOCKS = 32,                  /* blocks of columns per panel */
    INT8_GROUPS = QUANT_BLOCK / 4      /* groups of four bytes in a block */
};

typedef struct {
    _Alignas(64) vi weights[INT8_BLOCKS][INT8_GROUPS][INT8_VECTORS];
    vf scales[INT8_BLOCKS][INT8_VECTORS];
} int8_panel;

/* Packs some blocks of rows < INT8_PANEL rows; the rest of the panel is 0. */
INLINE void pack_int8(const int type, const uint8_t *w, ptrdiff_t size,
                      ptrdiff_t rows, ptrdiff_t blocks, int8_panel *panel) {
    for (ptrdiff_t b = 0; b < blocks; b++) {
        int32_t *groups = (int32_t *)panel->weights[b];
        float *scales = (float *)panel->scales[b];
        for (ptrdiff_t r = 0; r < INT8_PANEL; r++) {
            int32_t bytes[INT8_GROUPS] = {};
            scales[r] = 0;
            if (r < rows) {
                const uint8_t *block = w + r * size + b * block_size(type);
                scales[r] = f16_value(load_u16(block));
                store_block((int8_t *)bytes, load_block(type, block));
            }
            for (int g = 0; g < INT8_GROUPS; g++)
                groups[g * INT8_PANEL + r] =
                    bytes[g] ^ (int32_t)(PACKED_OFFSET * 0x01010101u);
        }
    }
}

INLINE void int8_tile(const int tokens, const int8_panel *panel,
                      ptrdiff_t blocks, const ck_quantized *x, ptrdiff_t token,
                      ptrdiff_t first, tile_output out) {
    vf acc[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
    for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
        for (int v = 0; v < INT8_VECTORS; v++)
            acc[t][v] = (vf){};
    }
    for (ptrdiff_t b = 0; b < blocks; b++) {
        ptrdiff_t at = token * x->blocks + first + b;
        vi sums[INT8_TOKENS][INT8_VECTORS];
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < INT8_VECTORS; v++)
                sums[t][v] = splat_int(x->offsets[at + t * x->blocks]);
        }
#pragma clang loop unroll(disable) /* unrolled, it runs out of registers */
        for (int g = 0; g < INT8_GROUPS; g++) {
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
                        dot4(sums[t][v], panel->weights[b][g][v], bytes);
            }
        }
#pragma clang loop unroll(full)
        for (int t = 0; t < tokens; t++) {
#pragma clang loop unroll(full)
            for (int v = 0; v < INT8_VECTORS; v++)
                acc[t][v] +=
                    to_float(sums[t][v]) *
                    (panel->scales[b][v] * x->scales[at + t * x->blocks]);
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
        for (ptrdiff_t b = 0; b < x.blocks; b += INT8_BLOCKS) {
            ptrdiff_t blocks = at_most(INT8_BLOCKS, x.blocks - b);
            tile_output out = output_of_tile(args, row, width, b == 0);
            pack_int8(type,
                      weight_row(&args->w, type, row) + b * block_size(type),
                      size, width, blocks, &panel);
            ptrdiff_t t = tile.token, last = tile.token + tile.tokens;
#define TILES_OF(count)                                                        \
    for (; t + (count) <= last; t += (count))                                  \
        int8_tile(count, &panel, blocks, &x, t, b, at_token(out, t))
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
        if (args->w.type == CK_Q8_0)
            int8_item(CK_Q8_0, args, tile);
        else
            int8_item(CK_Q4_0, args, tile);
    }
}
