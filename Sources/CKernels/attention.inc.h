/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention of a block of queries to all keys: two products by the register
 * tiles of matmul_packed.inc.h, with the softmax between them, of which the
 * division comes last. The first product has queries in its lanes, so that the
 * softmax is one of columns, which compares and adds whole vectors. The scores
 * of the block, (tokens, queries), stay in the second cache.
 */

_Static_assert(ATTENTION_BLOCK % FLOAT_PANEL == 0, "whole panels of queries");

/* The scores, (tokens, ATTENTION_BLOCK), of a panel of queries with keys in
 * rows of k; added to those that are there, or in their place. */
static void panel_scores(ptrdiff_t queries, const float *panel, ptrdiff_t depth,
                         const float *k, ptrdiff_t stride, ptrdiff_t tokens,
                         float *scores, int adds) {
    const tile_output out = {scores, ATTENTION_BLOCK, FLOAT_PANEL, NULL, adds};
    if (queries > FLOAT_PANEL / 2)
        float_tiles(tokens, panel, depth, k, stride, out);
    else
        tiles_of_panel(tokens, FLOAT_VECTORS / 2, panel, depth, k, stride, 1,
                       out);
}

/* Replaces LANES columns of scores by 2^(score - greatest); returns their
 * sums. */
INLINE vf powers_of_columns(float *scores, ptrdiff_t tokens) {
    vf greatest = splat(-INFINITY), sums = {};
    for (ptrdiff_t k = 0; k < tokens; k++)
        greatest = maximum(greatest, load(scores + k * ATTENTION_BLOCK));
    for (ptrdiff_t k = 0; k < tokens; k++) {
        float *score = scores + k * ATTENTION_BLOCK;
        vf power =
            power_of_two(maximum(load(score) - greatest, splat(-126)));
        store(score, power);
        sums += power;
    }
    return sums;
}

/* out[q, :] = sum_k scores[k, q] panel[k, :] */
static void weighted_sums(ptrdiff_t queries, const float *panel,
                          ptrdiff_t depth, const float *scores,
                          tile_output out) {
    tiles_of_panel(queries, FLOAT_VECTORS, panel, depth, scores, 1,
                   ATTENTION_BLOCK, out);
}

static void attention(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                      int worker) {
    const ck_attention_args *args = pointer;
    const ptrdiff_t tokens = args->q.rows, stride = args->q.columns;
    const ptrdiff_t width = stride / args->heads;
    const float log2_e = 0x1.715476p0f;
    const float scale = log2_e * inverse_root((float)width);
    const ptrdiff_t blocks = ck_cut_tokens(tokens, ATTENTION_BLOCK).count;
    const ptrdiff_t panels = (tokens + FLOAT_PANEL - 1) / FLOAT_PANEL;
    float *scores =
        (float *)args->scratch + worker * ATTENTION_BLOCK * tokens;
    _Alignas(64) float panel[FLOAT_DEPTH * FLOAT_PANEL];

    for (ptrdiff_t item = begin; item < end; item++) {
        const ptrdiff_t column = item / blocks * width, block = item % blocks;
        const ptrdiff_t first = block * panels / blocks * FLOAT_PANEL;
        const ptrdiff_t last = (block + 1) * panels / blocks * FLOAT_PANEL;
        const ptrdiff_t queries = at_most(last, tokens) - first;
        const float *q = args->q.data + first * stride + column;
        float *out = args->out.data + first * stride + column;

        float inverses[ATTENTION_BLOCK];
        for (ptrdiff_t query = 0; query < queries; query += FLOAT_PANEL) {
            ptrdiff_t count = at_most(FLOAT_PANEL, queries - query);
            for (ptrdiff_t i = 0; i < width; i += FLOAT_DEPTH) {
                ptrdiff_t depth = at_most(FLOAT_DEPTH, width - i);
                pack_float(CK_F32, (const uint8_t *)(q + query * stride),
                           stride * 4, count, i, depth, panel);
                multiply_elements(panel, scale, depth * FLOAT_PANEL);
                panel_scores(count, panel, depth, args->k.data + column + i,
                             stride, tokens, scores + query, i > 0);
            }
            for (ptrdiff_t i = query; i < query + count; i += LANES)
                store(inverses + i, 1 / powers_of_columns(scores + i, tokens));
        }

        for (ptrdiff_t i = 0; i < width; i += FLOAT_PANEL) {
            ptrdiff_t columns = at_most(FLOAT_PANEL, width - i);
            for (ptrdiff_t key = 0; key < tokens; key += FLOAT_DEPTH) {
                ptrdiff_t depth = at_most(FLOAT_DEPTH, tokens - key);
                pack_columns(args->v.data + key * stride + column + i, stride,
                             depth, columns, panel);
                weighted_sums(queries, panel, depth,
                              scores + key * ATTENTION_BLOCK,
                              (tile_output){out + i, stride, columns, NULL,
                                            key > 0});
            }
        }
        for (ptrdiff_t row = 0; row < queries; row++)
            multiply_elements(out + row * stride, inverses[row], width);
    }
}
