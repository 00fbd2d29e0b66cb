/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of 32 quantised weights for AVX2 and above. */

typedef __m256i weight_block;

INLINE __m256i load_bytes(const void *p) { return _mm256_loadu_si256(p); }

/* The quants of a Q4_0 block in 0...15: the low nibbles are the first half. */
INLINE __m256i load_nibbles(const uint8_t *quants) {
    __m256i bytes = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)quants));
    return _mm256_and_si256(
        _mm256_srlv_epi64(bytes, _mm256_setr_epi64x(0, 0, 4, 4)),
        _mm256_set1_epi8(15));
}

/* The quants of a Q8_0 or a Q4_0 block, as int8. */
INLINE weight_block load_q8(const uint8_t *quants) {
    return load_bytes(quants);
}

INLINE weight_block load_q4(const uint8_t *quants) {
    return _mm256_sub_epi8(load_nibbles(quants), _mm256_set1_epi8(8));
}

INLINE void store_block(int8_t *out, weight_block w) {
    _mm256_storeu_si256((__m256i *)out, w);
}
