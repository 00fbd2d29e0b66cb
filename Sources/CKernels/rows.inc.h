/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise functions, norms and the softmax: rows of activations. */

INLINE void activate_elements(const int activation, float *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += LANES)
        store_at(x, activation_of(load_at(x, i, n), activation), i, n);
}

/* Calls the body with activation as a constant. */
#define WITH_ACTIVATION(activation, body)                                      \
    switch (activation) {                                                      \
    case CK_NONE: body(CK_NONE); break;                                        \
    case CK_RELU: body(CK_RELU); break;                                        \
    case CK_RELU6: body(CK_RELU6); break;                                      \
    case CK_SILU: body(CK_SILU); break;                                        \
    case CK_GELU_ERF: body(CK_GELU_ERF); break;                                \
    case CK_GELU_TANH: body(CK_GELU_TANH); break;                              \
    case CK_QUICK_GELU: body(CK_QUICK_GELU); break;                            \
    case CK_SIGMOID: body(CK_SIGMOID); break;                                  \
    case CK_HARD_SWISH: body(CK_HARD_SWISH); break;                            \
    case CK_HARD_SIGMOID: body(CK_HARD_SIGMOID); break;                        \
    }

static void activate(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                     int worker) {
    (void)worker;
    const ck_activate_args *args = pointer;
    ptrdiff_t first = begin * ELEMENT_BLOCK, last = end * ELEMENT_BLOCK;
    last = at_most(last, args->x.rows * args->x.columns);
#define BODY(activation)                                                       \
    activate_elements(activation, args->x.data + first, last - first)
    WITH_ACTIVATION(args->activation, BODY)
#undef BODY
}

static void add(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                int worker) {
    (void)worker;
    const ck_add_args *args = pointer;
    const ptrdiff_t n = args->out.columns, step = args->x.rows == 1 ? 0 : n;
    for (ptrdiff_t row = begin; row < end; row++) {
        const float *x = args->x.data + row * step;
        float *out = args->out.data + row * n;
        for (ptrdiff_t i = 0; i < n; i += LANES)
            store_at(out, load_at(out, i, n) + load_at(x, i, n), i, n);
    }
}

static void multiply(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                     int worker) {
    (void)worker;
    const ck_add_args *args = pointer;
    const ptrdiff_t n = args->out.columns, step = args->x.rows == 1 ? 0 : n;
    for (ptrdiff_t row = begin; row < end; row++) {
        const float *x = args->x.data + row * step;
        float *out = args->out.data + row * n;
        for (ptrdiff_t i = 0; i < n; i += LANES)
            store_at(out, load_at(out, i, n) * load_at(x, i, n), i, n);
    }
}

/* ---- Norms ---- */

/* The sum of n elements in four partial sums per lane. */
INLINE float sum_elements(const float *x, ptrdiff_t n) {
    vf sums[4] = {};
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int j = 0; j < 4; j++)
            sums[j] += load(x + i + j * LANES);
    for (; i < n; i += LANES)
        sums[0] += load_at(x, i, n);
    return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* The sum of (x - mean)^2. */
INLINE float sum_squares(const float *x, float mean, ptrdiff_t n) {
    vf sums[4] = {};
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        for (int j = 0; j < 4; j++) {
            vf v = load(x + i + j * LANES) - mean;
            sums[j] += v * v;
        }
    }
    float tail = 0;
    for (; i + LANES <= n; i += LANES) {
        vf v = load(x + i) - mean;
        sums[0] += v * v;
    }
    for (; i < n; i++)
        tail += (x[i] - mean) * (x[i] - mean);
    return sum_lanes((sums[0] + sums[1]) + (sums[2] + sums[3])) + tail;
}

static void row_means(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                      int worker) {
    (void)worker;
    const ck_add_args *args = pointer;
    const ptrdiff_t n = args->x.columns;
    for (ptrdiff_t row = begin; row < end; row++)
        args->out.data[row] =
            sum_elements(args->x.data + row * n, n) / (float)n;
}

INLINE float inverse_root(float x) {
    return 1 / __builtin_elementwise_sqrt(x);
}

/* out = (x - mean) * factor (* weight) (+ bias) */
INLINE void scale_row(const float *x, float mean, float factor,
                      const float *weight, const float *bias, float *out,
                      ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += LANES) {
        vf v = (load_at(x, i, n) - mean) * factor;
        if (weight)
            v *= load_at(weight, i, n);
        if (bias)
            v += load_at(bias, i, n);
        store_at(out, v, i, n);
    }
}

static void rms_norm(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                     int worker) {
    (void)worker;
    const ck_norm_args *args = pointer;
    const ptrdiff_t n = args->x.columns;
    for (ptrdiff_t row = begin; row < end; row++) {
        const float *x = args->x.data + row * n;
        float mean_square = sum_squares(x, 0, n) / (float)n;
        scale_row(x, 0, inverse_root(mean_square + args->epsilon),
                  args->weight, NULL, args->out.data + row * n, n);
    }
}

static void layer_norm(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                       int worker) {
    (void)worker;
    const ck_norm_args *args = pointer;
    const ptrdiff_t n = args->x.columns;
    for (ptrdiff_t row = begin; row < end; row++) {
        const float *x = args->x.data + row * n;
        float mean = sum_elements(x, n) / (float)n;
        float variance = sum_squares(x, mean, n) / (float)n;
        scale_row(x, mean, inverse_root(variance + args->epsilon),
                  args->weight, args->bias, args->out.data + row * n, n);
    }
}

static void gated_rms_norm(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                           int worker) {
    (void)worker;
    const ck_gated_norm_args *args = pointer;
    const ptrdiff_t columns = args->y.columns, n = columns / args->groups;
    for (ptrdiff_t row = begin; row < end; row++) {
        const float *y = args->y.data + row * columns;
        const float *z =
            args->gates.data + row * args->gates.columns + args->z_offset;
        float *out = args->out.data + row * columns;
        for (ptrdiff_t i = 0; i < columns; i += LANES)
            store_at(out, load_at(y, i, columns) * silu(load_at(z, i, columns)),
                     i, columns);
        for (ptrdiff_t first = 0; first < columns; first += n) {
            float mean_square = sum_squares(out + first, 0, n) / (float)n;
            scale_row(out + first, 0, inverse_root(mean_square + args->epsilon),
                      args->weight + first, NULL, out + first, n);
        }
    }
}

/* ---- Softmax ---- */

/* Replaces scores by e^(score - greatest); returns their sum. */
INLINE float exponentials(float *x, ptrdiff_t n) {
    vf greatest = splat(-INFINITY), sums = {};
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        greatest = maximum(greatest, load(x + i));
    const vf rest = load_filled(x, i, n, -INFINITY);
    const float top = max_lanes(maximum(greatest, rest));
    for (i = 0; i + LANES <= n; i += LANES) {
        vf e = exponential(load(x + i) - top);
        store(x + i, e);
        sums += e;
    }
    if (i < n) {
        store_part(x + i, exponential(rest - top), n - i);
        sums += load_part(x + i, n - i);
    }
    return sum_lanes(sums);
}

/* x = x * factor, for n elements. */
INLINE void multiply_elements(float *x, float factor, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += LANES)
        store_at(x, load_at(x, i, n) * factor, i, n);
}

static void softmax(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                    int worker) {
    (void)worker;
    const ck_tensor *x = pointer;
    for (ptrdiff_t row = begin; row < end; row++) {
        float *p = x->data + row * x->columns;
        multiply_elements(p, 1 / exponentials(p, x->columns), x->columns);
    }
}
