/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activations to int8, in blocks of 32: scale = max |x| / 127. A block with a
 * NaN or an infinity gets the scale NaN, and so all that it touches.
 */

/* The bits of floats, without signs, are ordered as their magnitudes are, and
 * those of infinities and NaN are the greatest. */
INLINE int32_t greatest_magnitude(const float *x) {
    vi greatest = {};
    for (int k = 0; k < QUANT_BLOCK; k += LANES) {
        vi bits = (vi)load(x + k) & 0x7fffffff;
        greatest = (bits & (bits > greatest)) | (greatest & (bits <= greatest));
    }
    return max_lanes_int(greatest);
}

/* Writes the values and the sums of their halves; returns the scale. */
INLINE float quantize_block(const float *x, int8_t values[QUANT_BLOCK],
                            int16_t half_sums[2]) {
    typedef int8_t vb __attribute__((vector_size(LANES)));
    const int32_t bits = greatest_magnitude(x);
    float magnitude;
    __builtin_memcpy(&magnitude, &bits, sizeof magnitude);
    float inverse = 127 / magnitude;
    if (!(inverse < INFINITY)) /* zeros, subnormals, or NaN: take it as zero */
        inverse = 0;
    for (int k = 0; k < QUANT_BLOCK; k += LANES) {
        vf scaled = round_to_integer(load(x + k) * inverse);
        /* Keeps NaN out of the conversion. */
        vi value = __builtin_convertvector(
            choose(absolute(scaled) <= 127, scaled, splat(0)), vi);
        vb bytes = __builtin_convertvector(value, vb);
        __builtin_memcpy(values + k, &bytes, sizeof bytes);
    }
    for (int half = 0; half < 2; half++)
        half_sums[half] = (int16_t)sum_bytes(values + 16 * half);
    return bits < 0x7f800000 ? magnitude * (1 / 127.0f) : NAN;
}
