/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights in groups of ROW_GROUP rows, a block of each side by side: their
 * scales, then lines of four bytes of each.
 *
 *     scale scale ... | row 0, bytes 0-3 | row 1, bytes 0-3 | ... | row 0,
 *     bytes 4-7 | ...
 *
 * A vector of a line holds the same columns of LANES rows, so that their sums
 * need no sum across lanes, and their scales are one vector too. In the 64
 * bytes of a line of Q4_0 the low halves are four columns, the high halves the
 * columns 16 further.
 */

enum {
    LINE_SIZE = ROW_GROUP * 4,
    SCALES_SIZE = ROW_GROUP * 2,
    PART_WORDS = QUANT_BLOCK / 4, /* words of four columns in a part */
    GROUP_VECTORS = ROW_GROUP / LANES
};
_Static_assert(MATMUL_FEW_ROWS == ROW_GROUP, "an item is a group");

/* The size of a block of all rows of a group. */
INLINE ptrdiff_t group_block_size(int type) {
    return ROW_GROUP * ck_block_size(type);
}

/* The block of a part of the group that a row is in. */
INLINE const uint8_t *group_block(const ck_matrix *w, int type, ptrdiff_t row,
                                  ptrdiff_t part) {
    return weight_row(w, type, row - row % ROW_GROUP) +
           part * group_block_size(type);
}

/* The quants of LANES rows, from the first on, four columns in each lane. */
INLINE void load_group_quants(const int type, const uint8_t *block,
                              ptrdiff_t first, vi quants[PART_WORDS]) {
    const int32_t nibbles = 0x0f0f0f0f;
    const uint8_t *lines = block + SCALES_SIZE + 4 * first;
    if (ck_plain_type(type) == CK_Q8_0) {
#pragma clang loop unroll(full)
        for (int i = 0; i < PART_WORDS; i++)
            quants[i] = (vi)load((const float *)(lines + i * LINE_SIZE)) ^
                        (int32_t)0x80808080;
    } else {
#pragma clang loop unroll(full)
        for (int i = 0; i < PART_WORDS / 2; i++) {
            vi line = (vi)load((const float *)(lines + i * LINE_SIZE));
            quants[i] = line & nibbles;
            quants[i + PART_WORDS / 2] = line >> 4 & nibbles;
        }
    }
}

/* The scales of LANES rows, from the first on. */
INLINE vf load_group_scales(const uint8_t *block, ptrdiff_t first) {
    return load_f16(block + 2 * first);
}

/* A block of one row, as it would lie alone. */
INLINE void gather_block(const int type, const uint8_t *group, ptrdiff_t row,
                         uint8_t *block) {
    __builtin_memcpy(block, group + 2 * row, 2);
    group += SCALES_SIZE + 4 * row;
    for (int i = 2; i < ck_block_size(type); i += 4, group += LINE_SIZE)
        __builtin_memcpy(block + i, group, 4);
}
