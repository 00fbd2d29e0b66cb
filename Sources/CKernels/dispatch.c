/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry points: which instruction set, how many items, and whether the
 * work is worth a second thread.
 */
#include "kernels.h"
#include "profile.h"

#include <stdlib.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

/* ---- Instruction sets ---- */

enum { SET_LIMIT = 4 };

static int has_avx2(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
#else
    return 0;
#endif
}

static int has_avx512(void) {
#if defined(__x86_64__)
    return has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
#else
    return 0;
#endif
}

static int has_avx512bf16(void) {
#if defined(__x86_64__)
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

static int has_fp16(void) {
#if defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (1ul << 10)) != 0; /* HWCAP_ASIMDHP */
#else
    return 0;
#endif
}

static int has_dotprod(void) {
#if defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (1ul << 20)) != 0; /* HWCAP_ASIMDDP */
#else
    return 0;
#endif
}

static int has_i8mm(void) {
#if defined(__aarch64__)
    return has_dotprod() &&
           (getauxval(AT_HWCAP2) & (1ul << 13)) != 0; /* HWCAP2_I8MM */
#else
    return 0;
#endif
}

/* The sets that this processor runs, best first; returns their count. */
static int usable_sets(const ck_kernels *sets[SET_LIMIT]) {
    int count = 0;
    if (has_avx512bf16())
        sets[count++] = ck_kernels_avx512bf16;
    if (has_avx512())
        sets[count++] = ck_kernels_avx512;
    if (has_avx2())
        sets[count++] = ck_kernels_avx2;
    if (has_fp16())
        sets[count++] = ck_kernels_fp16;
    if (has_i8mm())
        sets[count++] = ck_kernels_i8mm;
    if (has_dotprod())
        sets[count++] = ck_kernels_dotprod;
    sets[count++] = ck_kernels_baseline;
    return count;
}

/* Each thread has its own choice, and a job runs what its caller chose: tests
 * of one set do not change the sums of those that run beside them. */
static _Thread_local ck_kernels chosen;

/* The set that OCELLUS_KERNELS names, if this processor runs it; else the best
 * of those that need not be named. */
static int wanted_set(const ck_kernels *const sets[], int count) {
    const char *name = getenv("OCELLUS_KERNELS");
    int best = 0;
    for (int i = 0; name && i < count; i++)
        if (strcmp(sets[i]->name, name) == 0)
            return i;
    while (sets[best]->must_be_named)
        best++;
    return best;
}

void ck_select_instruction_set(int index) {
    const ck_kernels *sets[SET_LIMIT];
    const int count = usable_sets(sets);
    if (index >= count)
        return;
    if (index < 0)
        index = wanted_set(sets, count);
    chosen = *sets[index];
    while (++index < count) {
#define CK_INHERIT(task)                                                       \
    if (!chosen.task)                                                          \
        chosen.task = sets[index]->task;
        CK_TASKS(CK_INHERIT)
#undef CK_INHERIT
    }
}

static const ck_kernels *kernels(void) {
    if (!chosen.name)
        ck_select_instruction_set(-1);
    return &chosen;
}

const char *ck_instruction_set_name(void) { return kernels()->name; }

int ck_instruction_set_count(void) {
    const ck_kernels *sets[SET_LIMIT];
    return usable_sets(sets);
}

/* ---- Work ---- */

/* The work of an element, in multiply-adds: what is moved, what is computed. */
enum { ELEMENT_WORK = 4, FUNCTION_WORK = 8 };

static ptrdiff_t blocks_of(ptrdiff_t size, ptrdiff_t n) {
    return (n + size - 1) / size;
}

/* Runs on the caller alone what takes less than waking a thread, by a rough
 * count of multiply-adds. */
static void run(ck_pool *pool, ck_task *task, const void *args,
                ptrdiff_t items, ptrdiff_t work) {
    enum { WORTH_A_THREAD = 100000 };
    if (items == 0)
        return;
    long long start = ck_profile_clock();
    ck_parallel(work < WORTH_A_THREAD ? NULL : pool, task, args, items);
    ck_profile_add(task, start);
}

/* ---- Matrix products ---- */

size_t ck_matmul_scratch_size(ptrdiff_t tokens, ptrdiff_t columns) {
    ptrdiff_t blocks = blocks_of(QUANT_BLOCK, columns);
    tokens = blocks_of(TILE_TOKENS, tokens) * TILE_TOKENS;
    return (size_t)(tokens * blocks) *
           (QUANT_BLOCK + sizeof(float) + 2 * sizeof(int16_t));
}

static _Thread_local ck_matmul_observer *matmul_observer;
static _Thread_local void *matmul_observer_context;

void ck_observe_matmul(ck_matmul_observer *observer, void *context) {
    matmul_observer = observer;
    matmul_observer_context = context;
}

/* Cuts the rows that fill no group from interleaved ones; returns how many. */
static ptrdiff_t cut_groups(ck_matrix *w) {
    ptrdiff_t rest = ck_is_interleaved(w->type) ? w->rows % ROW_GROUP : 0;
    w->rows -= rest;
    return rest;
}

/* Turns a product of groups to the rows behind them. */
static void turn_to_rest(ck_matmul_args *args, ptrdiff_t rest) {
    ck_matrix *w = &args->w;
    w->data = (const char *)w->data + w->rows * w->columns / QUANT_BLOCK *
                                          ck_block_size(w->type);
    args->out.data += w->rows;
    if (args->bias)
        args->bias += w->rows;
    w->type = ck_plain_type(w->type);
    w->rows = rest;
}

/* Multiplies with activations that are quantised if they must be. */
static void multiply(ck_pool *pool, const ck_kernels *set,
                     const ck_matmul_args *args, int is_few) {
    const ptrdiff_t rows = args->w.rows, tokens = args->x.rows;
    const ptrdiff_t work = tokens * rows * args->w.columns;
    if (is_few)
        run(pool, set->matmul_few, args, blocks_of(MATMUL_FEW_ROWS, rows),
            work);
    else
        run(pool,
            ck_is_quantized(args->w.type) ? set->matmul_int8_packed
                                          : set->matmul_packed,
            args,
            blocks_of(MATMUL_TILE_ROWS, rows) *
                ck_cut_tokens(tokens, MATMUL_TILE_TOKENS).count,
            work);
}

void ck_matmul(ck_pool *pool, ck_matmul_args args) {
    if (matmul_observer)
        matmul_observer(matmul_observer_context, &args);
    const ck_kernels *set = kernels();
    const ptrdiff_t tokens = args.x.rows, columns = args.x.columns;
    const int is_quantized = ck_is_quantized(args.w.type);
    const int is_few =
        tokens <= (is_quantized ? set->few_tokens_int8 : set->few_tokens);
    if (is_few && args.w.type == CK_Q8_ROW)
        args.w.type = CK_Q8_0;
    if (is_quantized && is_few)
        run(pool, set->quantize, &args, tokens,
            tokens * columns * FUNCTION_WORK);
    else if (is_quantized)
        run(pool, set->quantize_tiles, &args, blocks_of(TILE_TOKENS, tokens),
            tokens * columns * FUNCTION_WORK);
    const ptrdiff_t rest = cut_groups(&args.w);
    multiply(pool, set, &args, is_few);
    if (rest > 0) {
        turn_to_rest(&args, rest);
        multiply(pool, set, &args, is_few);
    }
}

ptrdiff_t ck_matmul_few_tokens(void) {
    const ck_kernels *set = kernels();
    return set->few_tokens > set->few_tokens_int8 ? set->few_tokens
                                                  : set->few_tokens_int8;
}

void ck_dequantize(ck_matrix w, ptrdiff_t first, ck_tensor out) {
    if (w.type == CK_Q8_ROW)
        w.type = CK_Q8_0;
    kernels()->dequantize(&(ck_dequantize_args){w, first, out}, 0, out.rows,
                          0);
}

/* ---- Rows ---- */

static ptrdiff_t elements(ck_tensor x) { return x.rows * x.columns; }

void ck_rms_norm(ck_pool *pool, ck_norm_args args) {
    run(pool, kernels()->rms_norm, &args, args.x.rows,
        elements(args.x) * FUNCTION_WORK);
}

void ck_layer_norm(ck_pool *pool, ck_norm_args args) {
    run(pool, kernels()->layer_norm, &args, args.x.rows,
        elements(args.x) * FUNCTION_WORK);
}

void ck_gated_rms_norm(ck_pool *pool, ck_gated_norm_args args) {
    run(pool, kernels()->gated_rms_norm, &args, args.y.rows,
        elements(args.y) * FUNCTION_WORK);
}

void ck_activate(ck_pool *pool, ck_activate_args args) {
    run(pool, kernels()->activate, &args,
        blocks_of(ELEMENT_BLOCK, elements(args.x)),
        elements(args.x) * FUNCTION_WORK);
}

void ck_add(ck_pool *pool, ck_add_args args) {
    run(pool, kernels()->add, &args, args.out.rows,
        elements(args.out) * ELEMENT_WORK);
}

void ck_multiply(ck_pool *pool, ck_add_args args) {
    run(pool, kernels()->multiply, &args, args.out.rows,
        elements(args.out) * ELEMENT_WORK);
}

void ck_subtract(ck_tensor a, ck_tensor b, ck_tensor out) {
    for (ptrdiff_t i = 0; i < elements(out); i++)
        out.data[i] = a.data[i] - b.data[i];
}

void ck_column_differences(ck_tensor a, ck_tensor b, ck_tensor out) {
    for (ptrdiff_t i = 0; i < a.columns; i++)
        out.data[i] = 0;
    for (ptrdiff_t r = 0; r < a.rows; r++) {
        const float *x = a.data + r * a.columns, *y = b.data + r * b.columns;
        for (ptrdiff_t i = 0; i < a.columns; i++)
            out.data[i] += fabsf(x[i] - y[i]);
    }
}

void ck_row_means(ck_tensor x, ck_tensor out) {
    kernels()->row_means(&(ck_add_args){x, out}, 0, x.rows, 0);
}

void ck_softmax(ck_tensor x) { kernels()->softmax(&x, 0, x.rows, 0); }

ptrdiff_t ck_argmax(ck_tensor x) {
    ptrdiff_t best = 0;
    float greatest = -INFINITY;
    for (ptrdiff_t i = 0; i < elements(x); i++) {
        if (x.data[i] > greatest) {
            greatest = x.data[i];
            best = i;
        }
    }
    return best;
}

/* ---- Attention ---- */

size_t ck_attention_scratch_size(ptrdiff_t tokens, int threads) {
    return (size_t)tokens * ATTENTION_BLOCK * sizeof(float) * (size_t)threads;
}

void ck_attention(ck_pool *pool, ck_attention_args args) {
    run(pool, kernels()->attention, &args,
        args.heads * ck_cut_tokens(args.q.rows, ATTENTION_BLOCK).count,
        2 * args.q.rows * elements(args.q));
}

/* ---- Convolution and pooling ---- */

void ck_depthwise(ck_pool *pool, ck_depthwise_args args) {
    run(pool, kernels()->depthwise, &args, args.geometry.out_height,
        elements(args.out) * args.geometry.kernel * args.geometry.kernel);
}

void ck_patches_planar(ck_pool *pool, ck_patches_args args) {
    run(pool, ck_task_patches_planar, &args, args.geometry.out_height,
        elements(args.out) * ELEMENT_WORK);
}

void ck_patches_interleaved(ck_pool *pool, ck_patches_args args) {
    run(pool, ck_task_patches_interleaved, &args, args.geometry.out_height,
        elements(args.out) * ELEMENT_WORK);
}

void ck_average_pool(ck_pool *pool, ck_pool2d_args args) {
    run(pool, kernels()->average_pool, &args, args.out_height,
        elements(args.x) * ELEMENT_WORK);
}

/* ---- State-space models ---- */

void ck_causal_conv(ck_pool *pool, ck_causal_conv_args args) {
    run(pool, kernels()->causal_conv, &args,
        blocks_of(CHANNEL_BLOCK, args.out.columns),
        elements(args.out) * FUNCTION_WORK);
}

void ck_selective_scan(ck_pool *pool, ck_selective_scan_args args) {
    run(pool, kernels()->selective_scan, &args,
        blocks_of(CHANNEL_BLOCK, args.out.columns),
        args.u.rows * elements(args.h) * FUNCTION_WORK);
}

void ck_state_space_scan(ck_pool *pool, ck_state_space_scan_args args) {
    run(pool, kernels()->state_space_scan, &args, args.heads,
        args.xbc.rows * elements(args.h) * 2);
}

/* ---- Measurements ---- */

void ck_read(ck_pool *pool, const void *data, size_t size) {
    run(pool, kernels()->read_bytes,
        &(ck_read_args){data, (ptrdiff_t)size},
        blocks_of(READ_BLOCK, (ptrdiff_t)size), (ptrdiff_t)size);
}
