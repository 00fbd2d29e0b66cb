/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products of interleaved rows with few tokens: what matmul_few is for
 * rows that lie one behind the other.
 *
 * A group is read from its first byte to its last. The sums of a block are
 * those of ROW_GROUP rows, scaled at once.
 */

enum { GROUP_AHEAD = 1024 /* bytes between reading and asking for more */ };

/* The products of a group with one token. */
INLINE void few_interleaved(const int type, const ck_matmul_args *args,
                            ptrdiff_t first, ptrdiff_t token) {
    const ck_quantized x =
        ck_quantized_in(args->scratch, args->x.rows, args->x.columns);
    const uint8_t *block = weight_row(&args->w, type, first);
    vf acc[GROUP_VECTORS] = {};
    for (ptrdiff_t b = token * x.blocks; b < (token + 1) * x.blocks; b++) {
        const int8_t *values = x.values + b * QUANT_BLOCK;
        const int total = x.sums[2 * b] + x.sums[2 * b + 1];
        prefetch(block + GROUP_AHEAD, group_block_size(type));
#pragma clang loop unroll(full)
        for (int v = 0; v < GROUP_VECTORS; v++) {
            vi quants[PART_WORDS];
            load_group_quants(type, block, v * LANES, quants);
            acc[v] += to_float(part_dot(zero_of(type), quants, values, total)) *
                      (load_group_scales(block, v * LANES) * x.scales[b]);
        }
        block += group_block_size(type);
    }
    const tile_output out =
        at_token(output_of_tile(args, first, ROW_GROUP, 1), token);
    for (int v = 0; v < GROUP_VECTORS; v++)
        put_vector(out, 0, v, acc[v]);
}
