/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activations to int8, in blocks of 32: scale = max |x| / 127, over the block
 * or the whole token. A NaN or an infinity makes that NaN, and so all that it
 * touches. LANES blocks are taken at once: their divisions are one.
 */

/* The bits of floats, without signs, are ordered as their magnitudes are, and
 * those of infinities and NaN are the greatest. */
INLINE vi greatest_magnitudes(const float *x, ptrdiff_t count) {
    vi greatest = {};
    for (ptrdiff_t k = 0; k < count; k += LANES)
        greatest = maximum_int(greatest, (vi)load(x + k) & 0x7fffffff);
    return greatest;
}

/* Those of count <= LANES blocks. */
INLINE vi magnitudes_of_blocks(const float *x, ptrdiff_t count) {
    vi rows[LANES] = {};
    for (ptrdiff_t b = 0; b < count; b++)
        rows[b] = greatest_magnitudes(x + b * QUANT_BLOCK, QUANT_BLOCK);
    return greatest_of_rows(rows);
}

/* That of a whole token, for all of its blocks. */
INLINE vi magnitude_of_token(const float *x, ptrdiff_t columns) {
    vi rows[LANES];
    rows[0] = greatest_magnitudes(x, columns);
    for (int r = 1; r < LANES; r++)
        rows[r] = rows[0];
    return greatest_of_rows(rows);
}

/* Writes the values and the scales of count <= LANES blocks, whose greatest
 * magnitudes have these bits. */
INLINE void quantize_blocks(const float *x, ptrdiff_t count, vi bits,
                            int8_t *values, float *scales) {
    typedef int8_t vb __attribute__((vector_size(LANES)));
    const vf magnitudes = (vf)bits, quotients = 127 / magnitudes;
    /* Of zeros, subnormals or NaN: the block is taken as zeros. */
    const vf inverses = choose(quotients < INFINITY, quotients, splat(0));
    float factors[LANES];
    store(factors, inverses);
    store_at(scales,
             choose(bits < 0x7f800000, magnitudes * (1 / 127.0f), splat(NAN)),
             0, count);
    for (ptrdiff_t k = 0; k < count * QUANT_BLOCK; k += LANES) {
        vf scaled = load(x + k) * factors[k / QUANT_BLOCK];
        vb bytes = __builtin_convertvector(integer_bits(scaled), vb);
        __builtin_memcpy(values + k, &bytes, sizeof bytes);
    }
}

INLINE void sum_halves(const int8_t values[QUANT_BLOCK], int16_t sums[2]) {
    for (int half = 0; half < 2; half++)
        sums[half] = (int16_t)sum_bytes(values + 16 * half);
}
