/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a kernel is written: as a task over a range of independent items.
 *
 * Each task exists once per instruction set. dispatch.c cuts the work into
 * items and gives the pool the task of the chosen set.
 */
#ifndef OCELLUS_KERNELS_H
#define OCELLUS_KERNELS_H

#include "ckernels.h"

#include <math.h>

/* Computes the items [begin, end); worker numbers the thread from 0. */
typedef void ck_task(const void *args, ptrdiff_t begin, ptrdiff_t end,
                     int worker);

/* Runs the task on all items, by the pool's threads; returns when all are
 * done. */
void ck_parallel(ck_pool *pool, ck_task *task, const void *args,
                 ptrdiff_t items);

/* ---- The tasks; an item is ---- */

#define CK_TASKS(X)                                                            \
    X(matmul_few)          /* MATMUL_FEW_ROWS rows of w */                     \
    X(matmul_packed)       /* a matmul_tile of f32, f16 or bf16 */             \
    X(matmul_int8_packed)  /* a matmul_tile of quantised weights */            \
    X(quantize)            /* a token, for matmul_few */                       \
    X(quantize_tiles)      /* TILE_TOKENS tokens, for matmul_int8_packed */    \
    X(dequantize)          /* a row */                                         \
    X(rms_norm)            /* a row */                                         \
    X(layer_norm)          /* a row */                                         \
    X(gated_rms_norm)      /* a row */                                         \
    X(row_means)           /* a row */                                         \
    X(softmax)             /* a row */                                         \
    X(activate)            /* an ELEMENT_BLOCK of elements */                  \
    X(add)                 /* a row */                                         \
    X(multiply)            /* a row */                                         \
    X(attention)           /* a head and a block of queries */                 \
    X(depthwise)           /* an output row of pixels */                       \
    X(average_pool)        /* an output row of pixels */                       \
    X(causal_conv)         /* a CHANNEL_BLOCK of channels */                   \
    X(selective_scan)      /* a CHANNEL_BLOCK of channels */                   \
    X(state_space_scan)    /* a head */                                        \
    X(read_bytes)          /* a READ_BLOCK */

enum {
    CHANNEL_BLOCK = 16,
    ELEMENT_BLOCK = 1024,
    ATTENTION_BLOCK = 96, /* queries at most; a multiple of FLOAT_PANEL */
    MATMUL_FEW_ROWS = 16,
    ROW_GROUP = 16, /* interleaved rows; an item of matmul_few */
    MATMUL_TILE_ROWS = 32,
    MATMUL_TILE_TOKENS = 264, /* at most; a multiple of TILE_TOKENS */
    TILE_TOKENS = 12, /* a multiple of every set's INT8_TOKENS */
    QUANT_BLOCK = 32,
    READ_BLOCK = 1 << 16
};

typedef struct {
    const char *name;
    /* Whether it is chosen by its name alone, since it rounds what the others
     * do not. */
    int must_be_named;
    /* The greatest count of tokens for which matmul_few is the faster way. */
    ptrdiff_t few_tokens, few_tokens_int8;
#define CK_TASK_FIELD(task) ck_task *task;
    CK_TASKS(CK_TASK_FIELD)
#undef CK_TASK_FIELD
} ck_kernels;

/* The sets; each source file of an absent architecture leaves NULL. A set may
 * lack tasks: those of the next best one then take their place. */
extern const ck_kernels *const ck_kernels_baseline;
extern const ck_kernels *const ck_kernels_avx2;
extern const ck_kernels *const ck_kernels_avx512;
extern const ck_kernels *const ck_kernels_avx512bf16;
extern const ck_kernels *const ck_kernels_dotprod;
extern const ck_kernels *const ck_kernels_i8mm;
extern const ck_kernels *const ck_kernels_fp16;

/* Tasks without arithmetic exist once; an item is an output row of pixels. */
ck_task ck_task_patches_planar, ck_task_patches_interleaved;

/* What is computed of a row of output pixels. */
static inline ck_span ck_span_of(const ck_span *spans, const ck_geometry *g,
                                 ptrdiff_t row) {
    return spans ? spans[row]
                 : (ck_span){0, g->out_width, row * g->out_width};
}

/* out[r, :] = w[first + r, :] */
typedef struct {
    ck_matrix w;
    ptrdiff_t first;
    ck_tensor out;
} ck_dequantize_args;

/* Tokens cut into parts of at most limit tokens: as few as can be, of nearly
 * the same size, which is a multiple of TILE_TOKENS. */
typedef struct {
    ptrdiff_t count, tokens;
} ck_token_parts;

static inline ck_token_parts ck_cut_tokens(ptrdiff_t tokens, ptrdiff_t limit) {
    ptrdiff_t count = (tokens + limit - 1) / limit;
    ptrdiff_t tiles = (tokens + TILE_TOKENS - 1) / TILE_TOKENS;
    return (ck_token_parts){count, (tiles + count - 1) / count * TILE_TOKENS};
}

typedef struct {
    const void *data;
    ptrdiff_t size;
} ck_read_args;

static inline int ck_is_quantized(int type) {
    return type != CK_F32 && type != CK_F16 && type != CK_BF16;
}

static inline int ck_is_interleaved(int type) {
    return type == CK_Q4_0X16 || type == CK_Q8_0X16;
}

/* The type of ggml whose blocks a type has: itself, but for our own types. */
static inline int ck_plain_type(int type) {
    switch (type) {
    case CK_Q4_0X16: return CK_Q4_0;
    case CK_Q8_0X16:
    case CK_Q8_ROW: return CK_Q8_0;
    default: return type;
    }
}

/* How the row lies: rows that do not fill a group are not interleaved. */
static inline int ck_type_of_row(const ck_matrix *w, ptrdiff_t row) {
    return row < w->rows / ROW_GROUP * ROW_GROUP ? w->type
                                                 : ck_plain_type(w->type);
}

/* The size in bytes of a block of a row of quantised weights. */
static inline ptrdiff_t ck_block_size(int type) {
    switch (ck_plain_type(type)) {
    case CK_Q4_0: return 18;
    case CK_Q4_1: return 20;
    case CK_Q5_0: return 22;
    case CK_Q5_1: return 24;
    case CK_Q4_K: return 144;
    case CK_Q5_K: return 176;
    case CK_Q6_K: return 210;
    default: return 34;
    }
}

/* ---- Quantised activations in the scratch of a matrix product ---- */

/* x[t, k] ~ scale[t, k / 32] * value[t, k], for matmul_few; the layout for
 * matmul_int8_packed is that of input_tile, of the same size. */
typedef struct {
    ptrdiff_t blocks; /* per token */
    int8_t *values;   /* (t, blocks * 32) */
    float *scales;    /* (t, blocks) */
    int16_t *sums;    /* (t, blocks, 2), of the values of each half block, for
                         types with minima or interleaved rows */
} ck_quantized;

static inline ck_quantized ck_quantized_in(void *scratch, ptrdiff_t tokens,
                                           ptrdiff_t columns) {
    ptrdiff_t blocks = columns / QUANT_BLOCK;
    int8_t *values = scratch;
    float *scales = (float *)(values + tokens * blocks * QUANT_BLOCK);
    return (ck_quantized){blocks, values, scales,
                          (int16_t *)(scales + tokens * blocks)};
}

#endif
