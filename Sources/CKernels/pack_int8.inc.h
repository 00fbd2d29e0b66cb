/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Panels of quantised weights for matmul_int8.inc.h.
 *
 * A vector of weights holds some rows, of each a dot_word of neighbouring
 * columns. Activations are stored as value + INPUT_OFFSET where the
 * instructions multiply unsigned by signed bytes. A sum then starts with what
 * this will add, negated, and with the bits of 1.5f: those of its end are
 * 1.5 + 2^-23 sum, a float that needs no conversion. Of Q8_row a sum goes
 * through the whole panel; it is too great for that.
 */

enum {
    INT8_PANEL = INT8_VECTORS * LANES, /* outputs */
    INT8_BLOCKS = 24,                  /* parts of columns per panel */
    PANEL_VECTORS = INT8_VECTORS * DOT_TOKENS,
    PART_FLOATS = QUANT_BLOCK / 4, /* a part, seen as floats */
    INT8_GROUPS = QUANT_BLOCK / sizeof(dot_word),
    /* Parts that fill a vector, if a part does not fill several. */
    TURNED_PARTS = LANES > PART_FLOATS ? LANES / PART_FLOATS : 1
};
_Static_assert(INT8_BLOCKS % BLOCK_PARTS == 0, "whole blocks");
_Static_assert(INT8_BLOCKS % TURNED_PARTS == 0, "whole vectors");
_Static_assert(DOT_TOKENS == 1 || !INPUT_OFFSET, "a start for each row");

/* What sums are scaled by: those of a part, or of half of it. */
typedef struct {
    vi starts[INT8_VECTORS];
    vf scales[INT8_VECTORS];  /* if there are starts: times 2^23 */
    vf offsets[INT8_VECTORS]; /* -1.5 scales, which is exact */
} sum_factors;

typedef struct {
    _Alignas(64) vi weights[INT8_BLOCKS * INT8_GROUPS][PANEL_VECTORS];
    sum_factors factors[INT8_BLOCKS][2];  /* the second only of halves */
    vf minima[INT8_BLOCKS][INT8_VECTORS]; /* if the type has them */
} int8_panel;

/*
 * Turns the quants of some neighbouring parts of LANES rows, so that a vector
 * holds the same words of its rows. Rows and parts that are not there are 0.
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
            block += is_k_type(type) ? 0 : ck_block_size(type);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < TURNED_PARTS * PART_FLOATS; i += LANES) {
        vf turned[LANES];
#pragma clang loop unroll(full)
        for (int r = 0; r < LANES; r++)
            turned[r] = load((const float *)quants[r] + i);
        turn_words(turned);
        vi(*to)[PANEL_VECTORS] =
            panel->weights + (at * PART_FLOATS + i) / DOT_TOKENS;
#pragma clang loop unroll(full)
        for (int j = 0; j < LANES; j++)
            to[j / DOT_TOKENS][v * DOT_TOKENS + j % DOT_TOKENS] =
                (vi)turned[j];
    }
}

/* Completes the factors of a part from its weights and scales. */
INLINE void complete_factors(const int type, ptrdiff_t part,
                             int8_panel *panel) {
    const int halves = scales_of(type), groups = INT8_GROUPS / halves;
    const dot_word offsets = INPUT_OFFSET * (dot_word)0x0101010101010101;
    for (int half = 0; INPUT_OFFSET && half < halves; half++) {
        sum_factors *factors = &panel->factors[part][half];
        for (int v = 0; v < INT8_VECTORS; v++) {
            vi sum = {};
            for (int g = half * groups; g < (half + 1) * groups; g++)
                sum = dot(sum, panel->weights[part * INT8_GROUPS + g][v],
                          &offsets, 0);
            factors->starts[v] = 0x3fc00000 - sum;
            factors->scales[v] *= 0x1p23f;
            factors->offsets[v] = -1.5f * factors->scales[v];
        }
    }
}

/* Those of Q8_row, for the sums over the parts of a panel. A row whose parts
 * have other scales there than the first is damaged: NaN. */
INLINE void complete_row_factors(ptrdiff_t parts, int8_panel *panel) {
    const dot_word offsets = INPUT_OFFSET * (dot_word)0x0101010101010101;
    sum_factors *factors = &panel->factors[0][0];
    for (int v = 0; v < INT8_VECTORS; v++) {
        vf scales = factors->scales[v];
        for (ptrdiff_t p = 1; p < parts; p++)
            scales = choose(panel->factors[p][0].scales[v] == scales, scales,
                            splat(NAN));
        factors->scales[v] = scales;
        vi sum = {};
        for (ptrdiff_t g = 0; INPUT_OFFSET && g < parts * INT8_GROUPS; g++)
            sum = dot(sum, panel->weights[g][v], &offsets, 0);
        factors->starts[v] = -sum;
    }
}

/* The scales and minima of K types, spread over the parts of their blocks. */
INLINE void pack_k_factors(const int type, const uint8_t *w, ptrdiff_t size,
                           ptrdiff_t rows, ptrdiff_t parts,
                           int8_panel *panel) {
    const int scales = scales_of(type);
    for (ptrdiff_t r = 0; r < INT8_PANEL; r++) {
        for (ptrdiff_t part = 0; part < parts; part += BLOCK_PARTS) {
            const uint8_t *block =
                w + r * size + row_size(type, part * QUANT_BLOCK);
            block_factors factors = {};
            if (r < rows)
                factors = read_factors(type, block);
            for (int p = 0; p < BLOCK_PARTS; p++) {
                for (int s = 0; s < scales; s++)
                    ((float *)panel->factors[part + p][s].scales)[r] =
                        factors.scales[p * scales + s];
                if (has_minima(type))
                    ((float *)panel->minima[part + p])[r] = factors.minima[p];
            }
        }
    }
}

/* Those of the other types: halves, turned first and then converted. */
INLINE void pack_half_factors(const int type, const uint8_t *w, ptrdiff_t size,
                              ptrdiff_t rows, ptrdiff_t parts,
                              int8_panel *panel) {
    uint16_t scales[INT8_BLOCKS][INT8_PANEL] = {};
    uint16_t minima[INT8_BLOCKS][INT8_PANEL] = {};
    for (ptrdiff_t r = 0; r < rows; r++) {
        const uint8_t *block = w + r * size;
        for (ptrdiff_t p = 0; p < parts; p++, block += ck_block_size(type)) {
            scales[p][r] = load_u16(block);
            if (has_minima(type))
                minima[p][r] = load_u16(block + 2);
        }
    }
    for (ptrdiff_t p = 0; p < parts; p++) {
        for (int v = 0; v < INT8_VECTORS; v++) {
            panel->factors[p][0].scales[v] = load_f16(&scales[p][v * LANES]);
            if (has_minima(type))
                panel->minima[p][v] = load_f16(&minima[p][v * LANES]);
        }
    }
}

/* Packs rows that lie one behind the other. */
INLINE void pack_rows(const int type, const uint8_t *w, ptrdiff_t size,
                      ptrdiff_t rows, ptrdiff_t parts, int8_panel *panel) {
    const int step = is_k_type(type) ? BLOCK_PARTS : TURNED_PARTS;
    if (is_k_type(type))
        pack_k_factors(type, w, size, rows, parts, panel);
    else
        pack_half_factors(type, w, size, rows, parts, panel);
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

/* Packs interleaved rows, a whole number of vectors: their words are turned
 * already. */
INLINE void pack_group_rows(const int type, const ck_matrix *w, ptrdiff_t row,
                            ptrdiff_t rows, ptrdiff_t part, ptrdiff_t parts,
                            int8_panel *panel) {
    typedef uint8_t vb __attribute__((vector_size(LANES * 4)));
    for (int v = 0; v < INT8_VECTORS; v++, row += LANES) {
        const uint8_t *block = group_block(w, type, row, part);
        for (ptrdiff_t p = 0; p < parts; p++) {
            vi quants[PART_WORDS] = {};
            vf scales = {};
            if (v * LANES < rows) {
                load_group_quants(type, block, row % ROW_GROUP, quants);
                scales = load_group_scales(block, row % ROW_GROUP);
#pragma clang loop unroll(full)
                for (int i = 0; i < PART_WORDS; i++)
                    quants[i] = (vi)((vb)quants[i] - (uint8_t)zero_of(type));
            }
            panel->factors[p][0].scales[v] = scales;
#pragma clang loop unroll(full)
            for (int g = 0; g < INT8_GROUPS; g++)
                put_words(
                    quants + g * DOT_TOKENS,
                    &panel->weights[p * INT8_GROUPS + g][v * DOT_TOKENS]);
            block += group_block_size(type);
        }
    }
}

/* Packs some parts of rows <= INT8_PANEL rows; the rest of the panel is 0. */
INLINE void pack_int8(const int type, const ck_matrix *w, ptrdiff_t row,
                      ptrdiff_t rows, ptrdiff_t part, ptrdiff_t parts,
                      int8_panel *panel) {
    const ptrdiff_t first = row_size(type, part * QUANT_BLOCK);
    if (ck_is_interleaved(type))
        pack_group_rows(type, w, row, rows, part, parts, panel);
    else
        pack_rows(type, weight_row(w, type, row) + first,
                  row_size(type, w->columns), rows, parts, panel);
    if (has_row_scales(type))
        complete_row_factors(parts, panel);
    for (ptrdiff_t p = 0; !has_row_scales(type) && p < parts; p++)
        complete_factors(type, p, panel);
}
