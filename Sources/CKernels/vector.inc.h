/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of LANES floats, and the elementary functions on them.
 *
 * NaN goes in, NaN comes out; no function overflows inside for any input.
 */

#define INLINE static inline __attribute__((always_inline))

INLINE ptrdiff_t at_most(ptrdiff_t limit, ptrdiff_t n) {
    return n < limit ? n : limit;
}

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
/* Eight halves, as the scales of eight blocks, and eight floats. */
typedef uint16_t half8 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef float float4 __attribute__((vector_size(16)));
/* The quants of 32 weights, or the like. */
typedef uint8_t bytes32 __attribute__((vector_size(32)));
typedef vf unaligned_vf __attribute__((aligned(4), may_alias));
typedef vi unaligned_vi __attribute__((aligned(4), may_alias));

INLINE vf splat(float x) { return x - (vf){}; }
INLINE vi splat_int(int32_t x) { return x - (vi){}; }
/* Four bytes in each lane. */
INLINE vi splat_word(const void *p) {
    int32_t word;
    __builtin_memcpy(&word, p, sizeof word);
    return splat_int(word);
}
INLINE vf load(const float *p) { return *(const unaligned_vf *)p; }
INLINE void store(float *p, vf v) { *(unaligned_vf *)p = v; }
INLINE vf to_float(vi v) { return __builtin_convertvector(v, vf); }

INLINE uint16_t load_u16(const void *p) {
    uint16_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return bits;
}

INLINE bytes32 load_bytes(const void *p) {
    bytes32 bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

/* The first count < LANES elements, then zeros. */
#if LANES == 16
INLINE __mmask16 first_lanes(ptrdiff_t count) {
    return (__mmask16)((1u << count) - 1);
}

INLINE vf load_part(const float *p, ptrdiff_t count) {
    return (vf)_mm512_maskz_loadu_ps(first_lanes(count), p);
}

INLINE void store_part(float *p, vf v, ptrdiff_t count) {
    _mm512_mask_storeu_ps(p, first_lanes(count), (__m512)v);
}
#else
INLINE vf load_part(const float *p, ptrdiff_t count) {
    vf v = {};
    for (ptrdiff_t i = 0; i < count; i++)
        v[i] = p[i];
    return v;
}

INLINE void store_part(float *p, vf v, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++)
        p[i] = v[i];
}
#endif

/* The vector at i of n elements; past the end, zeros. */
INLINE vf load_at(const float *p, ptrdiff_t i, ptrdiff_t n) {
    return n - i >= LANES ? load(p + i) : load_part(p + i, n - i);
}

INLINE void store_at(float *p, vf v, ptrdiff_t i, ptrdiff_t n) {
    if (n - i >= LANES)
        store(p + i, v);
    else
        store_part(p + i, v, n - i);
}

/* Where the mask is set yes, else no. */
INLINE vf choose(vi mask, vf yes, vf no) {
    return (vf)(((vi)yes & mask) | ((vi)no & ~mask));
}

INLINE vf maximum(vf x, vf y) { return choose(x < y, y, x); }
INLINE vf minimum(vf x, vf y) { return choose(x > y, y, x); }
INLINE vi maximum_int(vi x, vi y) { return __builtin_elementwise_max(x, y); }
/* Infinities become NaN: an activation would take them for its limit. */
INLINE vf finite_or_nan(vf x) { return x + 0 * x; }
INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }

/* The vector at i of n elements; past the end, the filling. */
INLINE vf load_filled(const float *p, ptrdiff_t i, ptrdiff_t n, float filling) {
    vf v = load_at(p, i, n);
    for (int lane = 0; lane < LANES; lane++)
        if (lane >= n - i)
            v[lane] = filling;
    return v;
}

/* The lanes in another order, so that lane i meets lane i + distance. */
#if LANES == 16
#define MEET_8(v)                                                              \
    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, \
                            5, 6, 7)
#define MEET_4(v)                                                              \
    __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8,   \
                            9, 10, 11)
#define MEET_2(v)                                                              \
    __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14,    \
                            15, 12, 13)
#elif LANES == 8
#define MEET_8(v) ((vf){})
#define MEET_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define MEET_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#else
#define MEET_8(v) ((vf){})
#define MEET_4(v) ((vf){})
#define MEET_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#endif

INLINE float sum_lanes(vf v) {
    if (LANES > 8)
        v += MEET_8(v);
    if (LANES > 4)
        v += MEET_4(v);
    v += MEET_2(v);
    return v[0] + v[1];
}

INLINE float max_lanes(vf v) {
    if (LANES > 8)
        v = maximum(v, MEET_8(v));
    if (LANES > 4)
        v = maximum(v, MEET_4(v));
    v = maximum(v, MEET_2(v));
    return v[0] < v[1] ? v[1] : v[0];
}

/* Nearest integer, halves to even; for |x| < 2^22. */
INLINE vf round_to_integer(vf x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
/* The same, of which only the low 22 bits are right. */
INLINE vi integer_bits(vf x) { return (vi)(x + 0x1.8p23f); }

/*
 * e^x for x in [-87.3, 88.3], and the value at the nearer end outside: the
 * result is normal and finite. 2^n e^r with |r| <= ln 2 / 2 and a polynomial
 * of degree 6 for e^r; relative error below 1e-7.
 */
INLINE vf exponential(vf x) {
    const float shift = 0x1.8p23f + 127; /* rounds; low bits become n + 127 */
    x = minimum(maximum(x, splat(-87.3f)), splat(88.3f));
    vf shifted = x * 0x1.715476p0f + shift;
    vf n = shifted - shift;
    vf r = x - n * 0x1.62e4p-1f;      /* ln 2 in two parts: the first has */
    r = r - n * 0x1.7f7d1cp-20f;      /* few bits, so n times it is exact */
    vf p = splat(0.00139336532f);
    p = p * r + 0.00836318452f;
    p = p * r + 0.0416664667f;
    p = p * r + 0.166665763f;
    p = p * r + 0.5f;
    p = p * (r * r) + r + 1;
    return p * (vf)((vi)shifted << 23);
}

/*
 * 2^x for x in [-126, 127], in the same way, with a polynomial of degree 5;
 * relative error below 2e-7.
 */
INLINE vf power_of_two(vf x) {
    const float shift = 0x1.8p23f + 127;
    vf shifted = x + shift;
    vf r = x - (shifted - shift);
    vf p = splat(0.00132647273f);
    p = p * r + 0.00967151299f;
    p = p * r + 0.0555073358f;
    p = p * r + 0.240222424f;
    p = p * r + 0.693147004f;
    p = p * r + 1;
    return p * (vf)((vi)shifted << 23);
}

INLINE vf sigmoid(vf x) { return 1 / (1 + exponential(-x)); }
INLINE vf silu(vf x) { return x / (1 + exponential(-x)); }

/*
 * log(1 + e^x) = max(x, 0) + log(1 + e) with e = e^-|x|, and
 * log(1 + e) = 2 artanh(e / (2 + e)) by its series.
 */
INLINE vf softplus(vf x) {
    vf e = exponential(-absolute(x));
    vf s = e / (2 + e), q = s * s;
    vf p = splat(1 / 15.0f);
    p = p * q + 1 / 13.0f;
    p = p * q + 1 / 11.0f;
    p = p * q + 1 / 9.0f;
    p = p * q + 1 / 7.0f;
    p = p * q + 1 / 5.0f;
    p = p * q + 1 / 3.0f;
    p = p * q + 1;
    return maximum(x, splat(0)) + 2 * s * p;
}

/*
 * The tail of the normal distribution, Phi(-z), as 2^p(z). For z <= 6 p is a
 * fit of the tail's logarithm to 5e-8, and to 5e-6 with the rounding of f32; from
 * there, a tail of 1e-9, to z = 12 it stays below that.
 */
INLINE vf normal_tail(vf z) {
    vf p = splat(2.0814725e-9f);
    p = p * z - 8.0496122e-8f;
    p = p * z + 1.37835275e-6f;
    p = p * z - 1.36299768e-5f;
    p = p * z + 8.33593658e-5f;
    p = p * z - 0.000285283808f;
    p = p * z - 1.39067405e-5f;
    p = p * z + 0.0069864504f;
    p = p * z - 0.0524793081f;
    p = p * z - 0.459205747f;
    p = p * z - 1.15110612f;
    p = p * z - 1;
    return power_of_two(p);
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|), which does not cancel for x < 0. */
INLINE vf gelu_erf(vf x) {
    vf z = minimum(absolute(x), splat(12));
    return maximum(x, splat(0)) - z * normal_tail(z);
}

/* x (1 + tanh(u)) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3) */
INLINE vf gelu_tanh(vf x) {
    vf u = 0.797884561f * (x + 0.044715f * x * x * x);
    return x * sigmoid(2 * u);
}

INLINE vf hard_sigmoid(vf x) {
    return minimum(maximum((x + 3) / 6, splat(0)), splat(1));
}

/* The function is a constant of the loop around it. */
INLINE vf activation_of(vf x, int activation) {
    switch (activation) {
    case CK_RELU: return maximum(x, splat(0));
    case CK_RELU6: return minimum(maximum(x, splat(0)), splat(6));
    case CK_SILU: return silu(x);
    case CK_GELU_ERF: return gelu_erf(x);
    case CK_GELU_TANH: return gelu_tanh(x);
    case CK_QUICK_GELU: return x * sigmoid(1.702f * x);
    case CK_SIGMOID: return sigmoid(x);
    case CK_HARD_SWISH: return x * hard_sigmoid(x);
    case CK_HARD_SIGMOID: return hard_sigmoid(x);
    default: return x;
    }
}

/* The pairs of lanes x0 y0 x1 y1 ... of the lower or the upper halves. */
#if LANES == 16
#define LOWER_PAIRS(x, y)                                                      \
    __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, \
                            22, 7, 23)
#define UPPER_PAIRS(x, y)                                                      \
    __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,    \
                            29, 14, 30, 15, 31)
#elif LANES == 8
#define LOWER_PAIRS(x, y)                                                      \
    __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER_PAIRS(x, y)                                                      \
    __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOWER_PAIRS(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define UPPER_PAIRS(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#endif

/* Lane j of row i becomes lane i of row j: log2(LANES) rounds of pairing row i
 * with row i + LANES / 2. */
INLINE void transpose(vf rows[LANES]) {
#pragma clang loop unroll(full)
    for (int round = LANES; round > 1; round /= 2) {
        vf paired[LANES];
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES / 2; i++) {
            paired[2 * i] = LOWER_PAIRS(rows[i], rows[i + LANES / 2]);
            paired[2 * i + 1] = UPPER_PAIRS(rows[i], rows[i + LANES / 2]);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++)
            rows[i] = paired[i];
    }
}

/* Lane i is the greatest lane of row i. Rows meet as in a transposition, and
 * each round leaves half of them. */
INLINE vi greatest_of_rows(vi rows[LANES]) {
#pragma clang loop unroll(full)
    for (int half = LANES / 2; half > 0; half /= 2) {
#pragma clang loop unroll(full)
        for (int i = 0; i < half; i++)
            rows[i] = maximum_int(LOWER_PAIRS(rows[i], rows[i + half]),
                                  UPPER_PAIRS(rows[i], rows[i + half]));
    }
    return rows[0];
}

/* The sums of the lanes of four rows. */
INLINE float4 sums_of_four(const vf rows[4]) {
    vf even = LOWER_PAIRS(rows[0], rows[2]) + UPPER_PAIRS(rows[0], rows[2]);
    vf odd = LOWER_PAIRS(rows[1], rows[3]) + UPPER_PAIRS(rows[1], rows[3]);
    vf sums = LOWER_PAIRS(even, odd) + UPPER_PAIRS(even, odd);
    if (LANES > 8)
        sums += MEET_8(sums);
    if (LANES > 4)
        sums += MEET_4(sums);
    return __builtin_shufflevector(sums, sums, 0, 1, 2, 3);
}

/* ---- Products of bytes: the sums of DOT_TOKENS tokens in a vector ---- */

#ifndef DOT_TOKENS
#define DOT_TOKENS 1

/* Neighbouring bytes of a row or a token. */
typedef uint32_t dot_word;

/* From words of each row to one word of all rows. */
INLINE void turn_words(vf rows[LANES]) { transpose(rows); }
/* The same from words of all rows. */
INLINE void put_words(const vi words[DOT_TOKENS], vi to[DOT_TOKENS]) {
    to[0] = words[0];
}
/* The factors of the rows in vector v of a panel, or of DOT_TOKENS tokens. */
INLINE vf row_factors(const float *p, int v) { return load(p + v * LANES); }
INLINE vf token_factors(const float *p) { return splat(*p); }
/* One token's sums, from those of LANES rows. */
INLINE vf token_sums(const vf sums[DOT_TOKENS], int token) {
    return sums[token];
}
#endif
