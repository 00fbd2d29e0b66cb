/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of 32 quantised weights for AVX2 and above. */

INLINE __m256i load_bytes(const void *p) { return _mm256_loadu_si256(p); }

INLINE weight_block signed_block(__m256i value) {
    return (weight_block){_mm256_abs_epi8(value), value};
}

/* The quants of a Q8_0 block, as int8. */
INLINE weight_block load_q8(const uint8_t *quants) {
    return signed_block(load_bytes(quants));
}

/* The quants of a Q4_0 block: the low nibbles are the first half. */
INLINE weight_block load_q4(const uint8_t *quants) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)quants);
    __m256i nibbles = _mm256_and_si256(
        _mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes),
        _mm256_set1_epi8(15));
    return signed_block(_mm256_sub_epi8(nibbles, _mm256_set1_epi8(8)));
}

INLINE void store_block(int8_t *out, weight_block w) {
    _mm256_storeu_si256((__m256i *)out, w.value);
}
