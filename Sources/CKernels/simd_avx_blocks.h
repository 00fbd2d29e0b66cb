/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of 32 quantised weights for AVX2 and above. */

/* The sum of sixteen bytes. */
INLINE int32_t sum_bytes(const int8_t *p) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i sums = _mm_sad_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(-128)),
                                _mm_setzero_si128());
    return _mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4) - 16 * 128;
}

/* Sixteen bytes of two quants each: the low halves are the first sixteen. */
INLINE bytes32 load_nibbles(const uint8_t *p) {
    __m256i bytes =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
    return (bytes32)_mm256_and_si256(
        _mm256_srlv_epi64(bytes, _mm256_setr_epi64x(0, 0, 4, 4)),
        _mm256_set1_epi8(15));
}

/* Adds the products of quants less their zero with a part of a token, scaled
 * by one factor, or the first sixteen and the others each by their own. */
INLINE dot_float add_dot(dot_float sum, const int zero, const int factors,
                         bytes32 quants, block_input x, const float *scales) {
    float8 dots =
        (float8)_mm256_cvtepi32_ps(block_dot(zero, (__m256i)quants, x));
    if (factors == 1)
        return sum + (dot_float)(dots * scales[0]);
    float8 first = scales[0] - (float8){}, second = scales[1] - (float8){};
    return sum + (dot_float)(dots * __builtin_shufflevector(first, second, 0, 1,
                                                            2, 3, 12, 13, 14,
                                                            15));
}
