/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of every instruction set of a processor against sums in double,
 * for processors that the Swift tests do not run on.
 *
 * Prints what must be the same on all of them: a hash of the values of random
 * weights in each type, which is the same for rows that are interleaved and
 * for those that are not. scripts/test-kernels compares it.
 */
#include "random_operands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 3e-6 /* of errors, in parts of a sum of magnitudes */

typedef struct {
    const char *name;
    int type;
    ptrdiff_t elements, bytes; /* of a block */
    int halves[2];             /* offsets of the scales in a block, or -1 */
} weight_type;

static const weight_type types[] = {
    {"f32", CK_F32, 1, 4, {-1, -1}},
    {"f16", CK_F16, 1, 2, {-1, -1}},
    {"bf16", CK_BF16, 1, 2, {-1, -1}},
    {"q8_0", CK_Q8_0, 32, 34, {0, -1}},
    {"q4_0", CK_Q4_0, 32, 18, {0, -1}},
    {"q4_1", CK_Q4_1, 32, 20, {0, 2}},
    {"q5_0", CK_Q5_0, 32, 22, {0, -1}},
    {"q5_1", CK_Q5_1, 32, 24, {0, 2}},
    {"q4_k", CK_Q4_K, 256, 144, {0, 2}},
    {"q5_k", CK_Q5_K, 256, 176, {0, 2}},
    {"q6_k", CK_Q6_K, 256, 210, {208, -1}},
    {"q8_0x16", CK_Q8_0X16, 32, 34, {0, -1}},
    {"q4_0x16", CK_Q4_0X16, 32, 18, {0, -1}},
    {"q8_row", CK_Q8_ROW, 32, 34, {0, -1}},
};

/* Interleaves the rows of whole groups: of each block the scale goes among the
 * scales of the group, and each four bytes to those of the other rows. */
static void interleave(uint8_t *bytes, ptrdiff_t size, ptrdiff_t rows,
                       ptrdiff_t blocks) {
    uint8_t *rows_before = take((size_t)(rows * blocks * size));
    memcpy(rows_before, bytes, (size_t)(rows * blocks * size));
    for (ptrdiff_t r = 0; r < rows / 16 * 16; r++) {
        for (ptrdiff_t b = 0; b < blocks; b++) {
            const uint8_t *from = rows_before + (r * blocks + b) * size;
            uint8_t *to = bytes + (r / 16 * blocks + b) * 16 * size;
            memcpy(to + r % 16 * 2, from, 2);
            for (ptrdiff_t i = 0; i < size - 2; i++)
                to[32 + i / 4 * 64 + r % 16 * 4 + i % 4] = from[2 + i];
        }
    }
    free(rows_before);
}

/* Gives all blocks of a row the scale of its first. */
static void unify_scales(uint8_t *bytes, ptrdiff_t size, ptrdiff_t rows,
                         ptrdiff_t blocks) {
    for (ptrdiff_t b = 0; b < rows * blocks; b++)
        memcpy(bytes + b * size, bytes + (b - b % blocks) * size, 2);
}

/* Any bytes are a block; only its scales, or its value, must not be large. One
 * row, unless it is negative, has an infinite value or scale. */
static ck_matrix weights(const weight_type *t, ptrdiff_t rows,
                         ptrdiff_t columns, ptrdiff_t infinite) {
    ptrdiff_t count = rows * columns / t->elements;
    uint8_t *bytes = take((size_t)(count * t->bytes));
    for (ptrdiff_t i = 0; i < count * t->bytes; i++)
        bytes[i] = (uint8_t)next();
    for (ptrdiff_t b = 0; b < count; b++) {
        uint8_t *block = bytes + b * t->bytes;
        for (int i = 0; i < 2; i++)
            if (t->halves[i] >= 0)
                block[t->halves[i] + 1] &= 0x8f;
        if (t->elements == 1) /* below 2 */
            block[t->bytes - 1] &= 0xbf;
    }
    if (t->type == CK_Q8_ROW)
        unify_scales(bytes, t->bytes, rows, columns / t->elements);
    if (infinite >= 0) {
        uint8_t *block = bytes + (infinite + 1) * count / rows * t->bytes -
                         t->bytes; /* the last of the row */
        const int at = t->halves[0] < 0 ? 0 : t->halves[0];
        const uint32_t bits = t->type == CK_F32    ? 0x7f800000
                              : t->type == CK_BF16 ? 0x7f80
                                                   : 0x7c00;
        memcpy(block + at, &bits, t->type == CK_F32 ? 4 : 2);
    }
    if (t->type == CK_Q8_0X16 || t->type == CK_Q4_0X16)
        interleave(bytes, t->bytes, rows, columns / t->elements);
    return (ck_matrix){bytes, rows, columns, t->type};
}

/* The activations as the int8 kernels round them, in blocks of some size. */
static void round_to_int8(ck_tensor x, ptrdiff_t size) {
    for (ptrdiff_t b = 0; b < x.rows * x.columns; b += size) {
        float magnitude = 0;
        for (ptrdiff_t i = 0; i < size; i++)
            magnitude = fmaxf(magnitude, fabsf(x.data[b + i]));
        for (ptrdiff_t i = 0; i < size && magnitude > 0; i++)
            x.data[b + i] =
                rintf(x.data[b + i] * (127 / magnitude)) * (magnitude / 127);
    }
}

/* Whether the set chosen multiplies the weights in pairs, and rounds the
 * activations to their type. */
static int takes_pairs(const weight_type *t, ptrdiff_t tokens,
                       ptrdiff_t columns) {
    const char *set = t->type == CK_BF16  ? "avx512-bf16"
                      : t->type == CK_F16 ? "neon-fp16"
                                          : "none";
    return tokens > ck_matmul_few_tokens() && columns % 2 == 0 &&
           strcmp(ck_instruction_set_name(), set) == 0;
}

/* The nearest half, or the even one of two. */
static double round_to_half(double x) {
    const double unit = ldexp(1, (int)fmax(logb(x), -14) - 10);
    const double half = x == 0 ? 0 : rint(x / unit) * unit;
    return fabs(half) < 65536 ? half : half * INFINITY;
}

static void round_to_f16(ck_tensor x) {
    for (ptrdiff_t i = 0; i < x.rows * x.columns; i++)
        x.data[i] = (float)round_to_half(x.data[i]);
}

/* The sum of products in order; or as neon-fp16 takes it: those of even and of
 * odd columns in halves, 32 of each at a time. */
static double sum_products(const float *a, const float *b, ptrdiff_t columns,
                           int in_halves) {
    double sum = 0;
    for (ptrdiff_t k = 0; k < columns && !in_halves; k++)
        sum += (double)a[k] * b[k];
    for (ptrdiff_t first = 0; first < columns && in_halves; first += 64) {
        double sums[2] = {};
        for (ptrdiff_t k = first; k < first + 64 && k < columns; k++)
            sums[k % 2] = round_to_half(sums[k % 2] + (double)a[k] * b[k]);
        sum += sums[0] + sums[1];
    }
    return sum;
}

/* The activations in bf16, to nearest even. */
static void round_to_bf16(ck_tensor x) {
    for (ptrdiff_t i = 0; i < x.rows * x.columns; i++) {
        uint32_t bits;
        memcpy(&bits, &x.data[i], sizeof bits);
        bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
        memcpy(&x.data[i], &bits, sizeof bits);
    }
}

/* The greatest error of a product, in parts of its sum of magnitudes. */
static double error_of(ck_tensor out, ck_tensor x, ck_tensor values,
                       int in_halves) {
    const ptrdiff_t columns = x.columns;
    double greatest = 0;
    for (ptrdiff_t i = 0; i < out.rows * out.columns; i++) {
        const float *a = x.data + i / out.columns * columns;
        const float *b = values.data + i % out.columns * columns;
        double magnitude = 1e-30;
        for (ptrdiff_t k = 0; k < columns; k++)
            magnitude += fabs((double)a[k] * b[k]);
        double sum = sum_products(a, b, columns, in_halves);
        double error = fabs(out.data[i] - sum) / magnitude;
        if (!(error <= greatest)) /* or NaN */
            greatest = error;
    }
    return greatest;
}

/* The error of a random product against the sum with the activations as the
 * kernels round them. Where a set must be named since it rounds more, the sum
 * without that must be another. */
static double product_error(const weight_type *t, ptrdiff_t tokens,
                            ptrdiff_t rows, ptrdiff_t columns) {
    ck_matrix w = weights(t, rows, columns, -1);
    ck_tensor x = tensor(tokens, columns), out = tensor(tokens, rows);
    ck_tensor values = tensor(rows, columns);
    void *scratch = take(ck_matmul_scratch_size(tokens, columns));
    const int in_pairs = takes_pairs(t, tokens, columns);
    const int in_halves = in_pairs && t->type == CK_F16;
    ck_matmul(NULL, (ck_matmul_args){w, x, NULL, 0, out, scratch});
    ck_dequantize(w, 0, values);
    const double unrounded = error_of(out, x, values, 0);
    if (t->type == CK_Q8_ROW && tokens > 3)
        round_to_int8(x, columns);
    else if (t->elements > 1)
        round_to_int8(x, 32);
    else if (in_halves)
        round_to_f16(x);
    else if (in_pairs)
        round_to_bf16(x);
    double error = error_of(out, x, values, in_halves);
    if (in_pairs && unrounded <= LIMIT)
        error = 1;
    free((void *)w.data), free(x.data), free(out.data), free(values.data);
    free(scratch);
    return error;
}

/* Counts the outputs that are finite, or not, against what must be: none of the
 * token with the extreme activation, and none of the row with the infinite
 * weight, if there is one. */
static int wrong_extremes(const weight_type *t, ptrdiff_t tokens,
                          float activation, ptrdiff_t infinite) {
    enum { ROWS = 37, COLUMNS = 256 };
    ck_matrix w = weights(t, ROWS, COLUMNS, infinite);
    ck_tensor x = tensor(tokens, COLUMNS), out = tensor(tokens, ROWS);
    void *scratch = take(ck_matmul_scratch_size(tokens, COLUMNS));
    const ptrdiff_t extreme = tokens / 2;
    const int in_halves = t->type == CK_F16 && takes_pairs(t, tokens, COLUMNS);
    const int is_finite = fabsf(activation) < (in_halves ? 65520 : INFINITY);
    x.data[extreme * COLUMNS + 77] = activation;
    ck_matmul(NULL, (ck_matmul_args){w, x, NULL, 0, out, scratch});
    int wrong = 0;
    for (ptrdiff_t i = 0; i < tokens * ROWS; i++)
        wrong += !isfinite(out.data[i]) !=
                 (i % ROWS == infinite || (i / ROWS == extreme && !is_finite));
    free((void *)w.data), free(x.data), free(out.data), free(scratch);
    return wrong;
}

/* FNV-1a of the values of random weights. */
static uint64_t hash_of_values(const weight_type *t) {
    ck_matrix w = weights(t, 19, 512, -1);
    ck_tensor values = tensor(19, 512);
    ck_dequantize(w, 0, values);
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < 19 * 512 * sizeof(float); i++)
        hash = (hash ^ ((uint8_t *)values.data)[i]) * 0x100000001b3;
    free((void *)w.data), free(values.data);
    return hash;
}

int main(void) {
    static const ptrdiff_t shapes[][3] = {
        {1, 37, 512}, {2, 16, 256}, {3, 5, 768}, {7, 17, 1280}, {13, 70, 256},
        {29, 33, 512}, {265, 9, 256}, {9, 35, 70},  {11, 33, 129},
        {3, 17, 288}, {14, 35, 96}};
    static const float extremes[] = {1e-42f, 3e4f, 1e5f, INFINITY, NAN};
    int failures = 0;
    uint64_t hashes[0x200] = {}; /* by plain type */
    for (int set = 0; set < ck_instruction_set_count(); set++) {
        ck_select_instruction_set(set);
        fprintf(stderr, "%s\n", ck_instruction_set_name());
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            state = (uint64_t)types[i].type & 0xffff; /* of its plain type */
            uint64_t hash = hash_of_values(&types[i]);
            double greatest = 0;
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
                if (shapes[s][2] % types[i].elements)
                    continue;
                double error = product_error(&types[i], shapes[s][0],
                                             shapes[s][1], shapes[s][2]);
                if (!(error <= greatest)) /* or NaN */
                    greatest = error;
            }
            if (set == 0)
                printf("%s %016llx\n", types[i].name, (unsigned long long)hash);
            uint64_t *plain = &hashes[types[i].type & 0x1ff];
            if (*plain && *plain != hash) {
                failures++;
                fprintf(stderr, "%s: other values\n", types[i].name);
            }
            *plain = hash;
            if (!(greatest <= LIMIT)) {
                failures++;
                fprintf(stderr, "%s: the error of products is %.1e, not %.0e\n",
                        types[i].name, greatest, LIMIT);
            }
            int wrong = 0;
            for (int e = 0; e < 5; e++)
                for (ptrdiff_t tokens = 1; tokens < 14; tokens += 6)
                    wrong += wrong_extremes(&types[i], tokens, extremes[e],
                                            -1 + 9 * e);
            if (wrong > 0) {
                failures++;
                fprintf(stderr, "%s: %d outputs with extremes are wrong\n",
                        types[i].name, wrong);
            }
        }
    }
    return failures > 0;
}
