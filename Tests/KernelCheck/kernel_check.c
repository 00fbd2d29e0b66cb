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

/* Any bytes are a block; only its scales, or its value, must not be large. */
static ck_matrix weights(const weight_type *t, ptrdiff_t rows,
                         ptrdiff_t columns) {
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
    if (t->type == CK_Q8_0X16 || t->type == CK_Q4_0X16)
        interleave(bytes, t->bytes, rows, columns / t->elements);
    if (t->type == CK_Q8_ROW)
        unify_scales(bytes, t->bytes, rows, columns / t->elements);
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

/* Whether the set chosen rounds the activations of a product to bf16. */
static int takes_pairs(const weight_type *t, ptrdiff_t tokens) {
    return t->type == CK_BF16 && tokens > ck_matmul_few_tokens() &&
           strcmp(ck_instruction_set_name(), "avx512-bf16") == 0;
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
static double product_error(const weight_type *t, ptrdiff_t tokens,
                            ptrdiff_t rows, ptrdiff_t columns) {
    ck_matrix w = weights(t, rows, columns);
    ck_tensor x = tensor(tokens, columns), out = tensor(tokens, rows);
    ck_tensor values = tensor(rows, columns);
    void *scratch = take(ck_matmul_scratch_size(tokens, columns));
    ck_matmul(NULL, (ck_matmul_args){w, x, NULL, 0, out, scratch});
    ck_dequantize(w, 0, values);
    if (t->type == CK_Q8_ROW && tokens > 3)
        round_to_int8(x, columns);
    else if (t->elements > 1)
        round_to_int8(x, 32);
    else if (takes_pairs(t, tokens))
        round_to_bf16(x);
    double greatest = 0;
    for (ptrdiff_t i = 0; i < tokens * rows; i++) {
        const float *a = x.data + i / rows * columns;
        const float *b = values.data + i % rows * columns;
        double sum = 0, magnitude = 1e-30;
        for (ptrdiff_t k = 0; k < columns; k++) {
            sum += (double)a[k] * b[k];
            magnitude += fabs((double)a[k] * b[k]);
        }
        double error = fabs(out.data[i] - sum) / magnitude;
        if (!(error <= greatest)) /* or NaN */
            greatest = error;
    }
    free((void *)w.data), free(x.data), free(out.data), free(values.data);
    free(scratch);
    return greatest;
}

/* FNV-1a of the values of random weights. */
static uint64_t hash_of_values(const weight_type *t) {
    ck_matrix w = weights(t, 19, 512);
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
        {29, 33, 512}, {265, 9, 256}};
    const double limit = 3e-6;
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
            if (greatest <= limit)
                continue;
            failures++;
            fprintf(stderr, "%s: the error of products is %.1e, above %.0e\n",
                    types[i].name, greatest, limit);
        }
    }
    return failures > 0;
}
