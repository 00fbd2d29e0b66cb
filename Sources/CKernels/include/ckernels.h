/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compute kernels of Ocellus: dense algebra, convolution and scans on
 * f32 activations, with weights as they lie in a model file.
 *
 * Matrices are row-major and each row is contiguous. No function allocates,
 * locks or checks: the Swift wrappers state and check the shapes. A result
 * does not depend on the count of threads: the work is cut into the same
 * blocks, and a sum is always taken in the same order.
 */
#ifndef OCELLUS_CKERNELS_H
#define OCELLUS_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Tells Swift's compiler what it cannot see: the function neither allocates
 * nor takes a lock. */
#define CK_REALTIME                                                            \
    __attribute__((swift_attr("@_noAllocation"), swift_attr("@_noLocks")))

/* ---- Threads ---- */

/* A fixed team of threads; the caller of a kernel is its first member. */
typedef struct ck_pool ck_pool;

/*
 * Starts threads until the team has thread_count members, or as many as the
 * system grants. Returns NULL, the team of the caller alone, for one thread
 * or without memory.
 *
 * cores has thread_count cores, or is NULL: each thread that is started stays
 * on its own, the second on cores[1] and so on, and the caller among them all,
 * now and after the pool's end.
 */
ck_pool *ck_pool_create(int thread_count, const int *cores);
void ck_pool_destroy(ck_pool *pool);
int ck_pool_thread_count(const ck_pool *pool);

/* ---- Instruction sets ---- */

/* The best instruction set of this processor that the kernels know, or the one
 * that the environment's OCELLUS_KERNELS names, if the processor runs it. */
const char *ck_instruction_set_name(void);
/* For tests: how many sets this processor can run, and the choice of one for
 * the jobs of this thread; -1: the one that it would have by itself. */
int ck_instruction_set_count(void);
void ck_select_instruction_set(int index);

/* ---- Operands ---- */

/* Element types of weights, numbered as in ggml; those that ggml has not are
 * above 0x4f430000 ("OC"). */
enum ck_type {
    CK_F32 = 0,
    CK_F16 = 1,
    CK_Q4_0 = 2,
    CK_Q4_1 = 3,
    CK_Q5_0 = 6,
    CK_Q5_1 = 7,
    CK_Q8_0 = 8,
    CK_Q4_K = 12,
    CK_Q5_K = 13,
    CK_Q6_K = 14,
    CK_BF16 = 30,
    /* Q4_0 and Q8_0 with the rows interleaved, 16 and 16: of each 32 columns
     * first the scales of all rows, then their first four bytes, their next
     * four, and so on. Rows that are no 16 lie behind them as they are. */
    CK_Q4_0X16 = 0x4f430002,
    CK_Q8_0X16 = 0x4f430008,
    /* Q8_0 where all blocks of a row have one scale. Many tokens are then
     * quantised each with one scale too, and their products are summed in
     * int32; few tokens meet it as Q8_0. */
    CK_Q8_ROW = 0x4f430108
};

/* Activations: (rows, columns), f32. */
typedef struct {
    float *data;
    ptrdiff_t rows, columns;
} ck_tensor;

/* Weights: (rows, columns), of any ck_type, without alignment. */
typedef struct {
    const void *data;
    ptrdiff_t rows, columns;
    int type;
} ck_matrix;

/* ---- Matrix products ---- */

/* out[t, n] = sum_k w[n, k] x[t, k] (+ bias[n]) (+ out[t, n]). */
typedef struct {
    ck_matrix w;       /* (n, k) */
    ck_tensor x;       /* (t, k) */
    const float *bias; /* (n), or NULL */
    int accumulates;   /* whether the product is added to out */
    ck_tensor out;     /* (t, n) */
    void *scratch;     /* ck_matmul_scratch_size(t, k) bytes, aligned to 64 */
} ck_matmul_args;

CK_REALTIME size_t ck_matmul_scratch_size(ptrdiff_t tokens, ptrdiff_t columns);
CK_REALTIME void ck_matmul(ck_pool *pool, ck_matmul_args args);
/* Products of more tokens than this sum a token in one order, whatever the
 * count; products of fewer may sum in another. */
CK_REALTIME ptrdiff_t ck_matmul_few_tokens(void);

/*
 * For tools: is told of each product that this thread asks for, before it is
 * computed. NULL ends that.
 */
typedef void ck_matmul_observer(void *context, const ck_matmul_args *args);
void ck_observe_matmul(ck_matmul_observer *observer, void *context);

/* out[r, :] = w[first + r, :] as f32, for all rows of out. */
CK_REALTIME void ck_dequantize(ck_matrix w, ptrdiff_t first, ck_tensor out);

/* ---- Rows ---- */

/* out = x / rms(x) * weight, or with a bias: standardised * weight + bias.
 * The weight of an RMS norm may be NULL: all ones. */
typedef struct {
    ck_tensor x;
    const float *weight, *bias;
    float epsilon;
    ck_tensor out;
} ck_norm_args;

CK_REALTIME void ck_rms_norm(ck_pool *pool, ck_norm_args args);
CK_REALTIME void ck_layer_norm(ck_pool *pool, ck_norm_args args);

/* v = y silu(z), then rms_norm within each of groups equal parts of a row. */
typedef struct {
    ck_tensor y;
    ck_tensor gates; /* (t, any), z at the offset */
    ptrdiff_t z_offset;
    const float *weight;
    ptrdiff_t groups;
    float epsilon;
    ck_tensor out;
} ck_gated_norm_args;

CK_REALTIME void ck_gated_rms_norm(ck_pool *pool, ck_gated_norm_args args);

enum ck_activation {
    CK_NONE,
    CK_RELU,
    CK_RELU6,
    CK_SILU,
    CK_GELU_ERF,
    CK_GELU_TANH,
    CK_QUICK_GELU,
    CK_SIGMOID,
    CK_HARD_SWISH,
    CK_HARD_SIGMOID
};

/* x = f(x) */
typedef struct {
    ck_tensor x;
    int activation;
} ck_activate_args;

CK_REALTIME void ck_activate(ck_pool *pool, ck_activate_args args);

/* out[t, :] += x[t, :], or with one row: out[t, :] += x[0, :]. */
typedef struct {
    ck_tensor x, out;
} ck_add_args;

CK_REALTIME void ck_add(ck_pool *pool, ck_add_args args);
/* out[t, :] *= x[t, :], or with one row: out[t, :] *= x[0, :]. */
CK_REALTIME void ck_multiply(ck_pool *pool, ck_add_args args);

/* out = a - b */
CK_REALTIME void ck_subtract(ck_tensor a, ck_tensor b, ck_tensor out);
/* out[0, i] = sum_r |a[r, i] - b[r, i]| */
CK_REALTIME void ck_column_differences(ck_tensor a, ck_tensor b, ck_tensor out);
/* out[r, 0] = mean(x[r, :]) */
CK_REALTIME void ck_row_means(ck_tensor x, ck_tensor out);
/* Each row becomes exp(x) / sum(exp(x)). */
CK_REALTIME void ck_softmax(ck_tensor x);
/* The first index of the greatest element; NaN is never the greatest. */
CK_REALTIME ptrdiff_t ck_argmax(ck_tensor x);

/* ---- Attention ---- */

/* Per head: out = softmax(q k^T / sqrt(width)) v, over all rows. */
typedef struct {
    ck_tensor q, k, v; /* (t, heads * width) */
    ptrdiff_t heads;
    ck_tensor out; /* (t, heads * width) */
    void *scratch; /* ck_attention_scratch_size bytes, aligned to 64 */
} ck_attention_args;

CK_REALTIME size_t ck_attention_scratch_size(ptrdiff_t tokens, int threads);
CK_REALTIME void ck_attention(ck_pool *pool, ck_attention_args args);

/* ---- Convolution and pooling, on pixels (h * w, c) ---- */

typedef struct {
    ptrdiff_t height, width, kernel, stride, top, left;
    ptrdiff_t out_height, out_width;
} ck_geometry;

/* The columns [first, end) of a row of output pixels that are computed; they
 * are the rows of out from offset. */
typedef struct {
    ptrdiff_t first, end, offset;
} ck_span;

/* Depthwise: weight (kernel * kernel, c). */
typedef struct {
    ck_tensor x;
    ck_tensor weight;
    const float *bias; /* (c), or NULL */
    ck_geometry geometry;
    const ck_span *spans; /* (out_height), or NULL: all pixels */
    int activation;
    ck_tensor out;
} ck_depthwise_args;

CK_REALTIME void ck_depthwise(ck_pool *pool, ck_depthwise_args args);

/* out[p, (c, ky, kx)] = x at c and the pixel of p shifted by (ky, kx), or 0. */
typedef struct {
    ck_tensor x; /* planar (c, h * w), or interleaved (h * w, c) */
    ck_geometry geometry;
    const ck_span *spans; /* (out_height), or NULL: all pixels */
    ck_tensor out; /* (out_h * out_w, c * kernel * kernel) */
} ck_patches_args;

CK_REALTIME void ck_patches_planar(ck_pool *pool, ck_patches_args args);
CK_REALTIME void ck_patches_interleaved(ck_pool *pool, ck_patches_args args);

/* Means of activation(x) over windows [i h / out_h, ceil((i + 1) h / out_h))
 * and alike. */
typedef struct {
    ck_tensor x;
    ptrdiff_t height, width, out_height, out_width;
    int activation; /* ck_activation */
    ck_tensor out;
} ck_pool2d_args;

CK_REALTIME void ck_average_pool(ck_pool *pool, ck_pool2d_args args);

/* ---- State-space models ---- */

/* A causal depthwise convolution over time, with bias, then SiLU. */
typedef struct {
    ck_tensor x; /* reads columns [offset, offset + out.columns) */
    ptrdiff_t offset;
    ck_matrix weight;  /* (c, taps), not quantised; the last tap is now */
    const float *bias; /* (c), or NULL */
    ck_tensor history; /* (taps - 1, c), oldest first, updated */
    ck_tensor out;     /* (t, c) */
} ck_causal_conv_args;

CK_REALTIME void ck_causal_conv(ck_pool *pool, ck_causal_conv_args args);

/*
 * Mamba's selective scan. Per channel i and state n, with
 * s = softplus(delta + delta_bias):
 * h = exp(s a) h + s b u;  out = (sum_n c h + d u) silu(z).
 */
typedef struct {
    ck_tensor u;             /* (t, i) */
    ck_tensor delta;         /* (t, i) */
    const float *delta_bias; /* (i) */
    const float *a;          /* (i, n), negative */
    ck_tensor bc;            /* (t, any), b and c at the offsets */
    ptrdiff_t b_offset, c_offset;
    const float *d;  /* (i) */
    ck_tensor gates; /* (t, any), z at the offset; data NULL: no gate */
    ptrdiff_t z_offset;
    ck_tensor h;   /* (i, n), updated */
    ck_tensor out; /* (t, i) */
} ck_selective_scan_args;

CK_REALTIME void ck_selective_scan(ck_pool *pool, ck_selective_scan_args args);

/*
 * Mamba-2's scan. Per head, with s = softplus(dt + dt_bias):
 * h = exp(s a) h + s x b^T;  out = h c + d x.
 */
typedef struct {
    ck_tensor xbc;       /* (t, heads * p + 2 * groups * n), x | b | c */
    ck_tensor projected; /* (t, any), dt of each head at the offset */
    ptrdiff_t dt_offset;
    const float *dt_bias, *a, *d; /* (heads) */
    ptrdiff_t heads, groups;
    ck_tensor h;   /* (heads * p, n), updated */
    ck_tensor out; /* (t, heads * p) */
} ck_state_space_scan_args;

CK_REALTIME void ck_state_space_scan(ck_pool *pool,
                                     ck_state_space_scan_args args);

/* ---- Measurements ---- */

/* Reads every byte once, with the widest loads and all threads. */
CK_REALTIME void ck_read(ck_pool *pool, const void *data, size_t size);

/* One call of a kernel by this thread. */
typedef struct {
    const char *operation;
    int part; /* the last of ck_profile_part */
    long long nanoseconds;
} ck_profile_entry;

/* Records the calls that this thread makes from now on, until the entries are
 * full or ck_profile_end, which returns their count. */
void ck_profile_begin(ck_profile_entry *entries, ptrdiff_t capacity);
ptrdiff_t ck_profile_end(void);
/* Numbers what comes: the layer of a network. Costs nothing unless recorded. */
CK_REALTIME void ck_profile_part(int part);

#endif
