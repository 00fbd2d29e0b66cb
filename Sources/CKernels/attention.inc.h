/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention of a block of queries to all keys: two products by the register
 * tiles of matmul_packed.inc.h, with the softmax between them, of which the
 * division comes last. The scores of the block, (queries, tokens), stay in the
 * second cache.
 */

static void attention(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                      int worker) {
    const ck_attention_args *args = pointer;
    const ptrdiff_t tokens = args->q.rows, stride = args->q.columns;
    const ptrdiff_t width = stride / args->heads;
    const float scale = inverse_root((float)width);
    const ck_token_parts blocks = ck_cut_tokens(tokens, ATTENTION_BLOCK);
    float *scores =
        (float *)args->scratch + worker * ATTENTION_BLOCK * tokens;
    _Alignas(64) float panel[FLOAT_DEPTH * FLOAT_PANEL];

    for (ptrdiff_t item = begin; item < end; item++) {
        ptrdiff_t column = item / blocks.count * width;
        ptrdiff_t first = item % blocks.count * blocks.tokens;
        ptrdiff_t queries = at_most(blocks.tokens, tokens - first);
        const float *q = args->q.data + first * stride + column;
        float *out = args->out.data + first * stride + column;

        for (ptrdiff_t key = 0; key < tokens; key += FLOAT_PANEL) {
            ptrdiff_t keys = at_most(FLOAT_PANEL, tokens - key);
            const float *k = args->k.data + key * stride + column;
            for (ptrdiff_t i = 0; i < width; i += FLOAT_DEPTH) {
                ptrdiff_t depth = at_most(FLOAT_DEPTH, width - i);
                pack_float(CK_F32, (const uint8_t *)k, stride * 4, keys, i,
                           depth, panel);
                float_tiles(queries, panel, depth, q + i, stride,
                            (tile_output){scores + key, tokens, keys, NULL,
                                          i > 0});
            }
        }

        float inverses[ATTENTION_BLOCK];
        for (ptrdiff_t row = 0; row < queries; row++)
            inverses[row] =
                1 / exponentials(scores + row * tokens, scale, tokens);

        for (ptrdiff_t i = 0; i < width; i += FLOAT_PANEL) {
            ptrdiff_t columns = at_most(FLOAT_PANEL, width - i);
            for (ptrdiff_t key = 0; key < tokens; key += FLOAT_DEPTH) {
                ptrdiff_t depth = at_most(FLOAT_DEPTH, tokens - key);
                pack_columns(args->v.data + key * stride + column + i, stride,
                             depth, columns, panel);
                float_tiles(queries, panel, depth, scores + key, tokens,
                            (tile_output){out + i, stride, columns, NULL,
                                          key > 0});
            }
        }
        for (ptrdiff_t row = 0; row < queries; row++)
            multiply_elements(out + row * stride, inverses[row], width);
    }
}
