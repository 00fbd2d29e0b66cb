/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Norms, the softmax, sums of rows, depthwise convolution and pooling of every
 * instruction set of a processor against their definitions in double, for
 * processors that the Swift tests do not run on; with operands that are random,
 * all denormal (whose results must be small, and no more), or have an infinite
 * element or one that is no number. Prints nothing but what is wrong.
 */
#include "expectations.h"
#include "random_operands.h"

#include <math.h>
#include <string.h>

enum operands { RANDOM, DENORMAL, INFINITE, NO_NUMBER, OPERANDS };

static ck_tensor operand(ptrdiff_t rows, ptrdiff_t columns, int kind) {
    ck_tensor t = tensor(rows, columns);
    for (ptrdiff_t i = 0; i < rows * columns && kind == DENORMAL; i++)
        t.data[i] *= 1e-38f;
    if (kind == INFINITE || kind == NO_NUMBER)
        t.data[next() % (uint64_t)(rows * columns)] =
            kind == INFINITE ? INFINITY : NAN;
    return t;
}

/* ---- Rows ---- */

/* The mean of (x - mean)^2 of n elements. */
static double mean_square(const double *x, double mean, ptrdiff_t n) {
    double sum = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)n;
}

static void check_norms(ptrdiff_t rows, ptrdiff_t n, int kind) {
    const double epsilon = 1e-5f;
    ck_tensor x = operand(rows, n, kind), out = tensor(rows, n);
    ck_tensor weight = tensor(1, n), bias = tensor(1, n);
    double *values = take((size_t)n * sizeof *values);
    for (int with = 0; with < 3; with++) { /* nothing, a weight, a mean */
        const ck_norm_args args = {x, with > 0 ? weight.data : NULL,
                                   with > 1 ? bias.data : NULL,
                                   (float)epsilon, out};
        if (with < 2)
            ck_rms_norm(NULL, args);
        else
            ck_layer_norm(NULL, args);
        double greatest = 0;
        for (ptrdiff_t row = 0; row < rows; row++) {
            double mean = 0;
            for (ptrdiff_t i = 0; i < n; i++)
                mean += values[i] = x.data[row * n + i];
            mean = with < 2 ? 0 : mean / (double)n;
            const double scale = sqrt(mean_square(values, mean, n) + epsilon);
            for (ptrdiff_t i = 0; i < n; i++) {
                double expected = (values[i] - mean) / scale;
                if (with > 0)
                    expected *= weight.data[i];
                if (with > 1)
                    expected += bias.data[i];
                add_error(&greatest,
                          error_of(out.data[row * n + i], expected));
            }
        }
        expect(with < 2 ? "an RMS norm" : "a layer norm", n, greatest, 3e-6);
    }
    free(x.data), free(out.data), free(weight.data), free(bias.data);
    free(values);
}

static void check_gated_norm(ptrdiff_t rows, ptrdiff_t groups, ptrdiff_t n,
                             int kind) {
    enum { OFFSET = 3 };
    const ptrdiff_t columns = groups * n, stride = columns + OFFSET + 2;
    ck_tensor y = operand(rows, columns, kind), gates = tensor(rows, stride);
    ck_tensor weight = tensor(1, columns), out = tensor(rows, columns);
    ck_gated_rms_norm(NULL, (ck_gated_norm_args){y, gates, OFFSET, weight.data,
                                                 groups, 1e-5f, out});
    double greatest = 0, *values = take((size_t)n * sizeof *values);
    for (ptrdiff_t group = 0; group < rows * groups; group++) {
        const ptrdiff_t first = group % groups * n;
        const float *z =
            gates.data + group / groups * stride + OFFSET + first;
        for (ptrdiff_t i = 0; i < n; i++)
            values[i] = y.data[group * n + i] * silu(z[i]);
        const double scale = sqrt(mean_square(values, 0, n) + 1e-5f);
        for (ptrdiff_t i = 0; i < n; i++) {
            const double expected = values[i] * weight.data[first + i] / scale;
            add_error(&greatest, error_of(out.data[group * n + i], expected));
        }
    }
    expect("a gated RMS norm", n, greatest, 3e-6);
    free(y.data), free(gates.data), free(weight.data), free(out.data);
    free(values);
}

static void check_softmax_and_means(ptrdiff_t rows, ptrdiff_t n, int kind) {
    ck_tensor x = operand(rows, n, kind), y = tensor(rows, n);
    ck_tensor means = tensor(rows, 1);
    for (ptrdiff_t i = 0; i < rows * n; i++)
        y.data[i] = x.data[i] *= kind == RANDOM ? 40 : 1;
    ck_softmax(y);
    ck_row_means(x, means);
    double of_softmax = 0, of_means = 0;
    for (ptrdiff_t row = 0; row < rows; row++) {
        const float *values = x.data + row * n;
        double sum = 0, powers = 0, greatest = values[0];
        for (ptrdiff_t i = 0; i < n; i++)
            greatest = fmax(greatest, values[i]);
        for (ptrdiff_t i = 0; i < n; i++) {
            sum += values[i];
            powers += exp(values[i] - greatest);
        }
        for (ptrdiff_t i = 0; i < n; i++) {
            const double share = exp(values[i] - greatest) / powers;
            add_error(&of_softmax, error_of(y.data[row * n + i], share));
        }
        add_error(&of_means, error_of(means.data[row], sum / (double)n));
    }
    expect("a softmax", n, of_softmax, 1e-6);
    expect("a mean", n, of_means, 3e-6);
    free(x.data), free(y.data), free(means.data);
}

/* With as many rows as the result has, or with one. */
static void check_sums(ptrdiff_t rows, ptrdiff_t terms, ptrdiff_t n, int kind) {
    ck_tensor x = operand(terms, n, kind), y = tensor(rows, n);
    ck_tensor sum = tensor(rows, n), product = tensor(rows, n);
    for (ptrdiff_t i = 0; i < rows * n; i++)
        sum.data[i] = product.data[i] = y.data[i];
    ck_add(NULL, (ck_add_args){x, sum});
    ck_multiply(NULL, (ck_add_args){x, product});
    double greatest = 0;
    for (ptrdiff_t i = 0; i < rows * n; i++) {
        const double a = x.data[terms == 1 ? i % n : i], b = y.data[i];
        add_error(&greatest, error_of(sum.data[i], a + b));
        add_error(&greatest, error_of(product.data[i], a * b));
    }
    expect("a sum or a product", n, greatest, 2e-7);
    free(x.data), free(y.data), free(sum.data), free(product.data);
}

/* ---- Pixels ---- */

enum { GUARD = 16 }; /* floats behind a result, which must stay */

static ck_tensor guarded(ptrdiff_t rows, ptrdiff_t columns) {
    ck_tensor t = tensor(1, rows * columns + GUARD);
    for (int i = 0; i < GUARD; i++)
        t.data[rows * columns + i] = 123;
    return (ck_tensor){t.data, rows, columns};
}

static void expect_guard(const char *what, ck_tensor t) {
    double greatest = 0;
    for (int i = 0; i < GUARD; i++)
        add_error(&greatest, error_of(t.data[t.rows * t.columns + i], 123));
    expect(what, t.columns, greatest, 0);
}

/* GELU has a limit at -infinity, as ReLU6 has values. */
static double activation_of(double x, int kind) {
    switch (kind) {
    case CK_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
    case CK_GELU_ERF: return x < -40 ? 0 : x / 2 * erfc(-x / M_SQRT2);
    case CK_HARD_SWISH: return x * (x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6);
    default: return x;
    }
}

/* An output pixel and channel of a depthwise convolution before the activation,
 * which must not see an infinity. */
static double depthwise_sum(const ck_depthwise_args *args, ptrdiff_t row,
                            ptrdiff_t column, ptrdiff_t c) {
    const ck_geometry *g = &args->geometry;
    const ptrdiff_t channels = args->x.columns;
    double sum = args->bias ? args->bias[c] : 0;
    for (ptrdiff_t tap = 0; tap < g->kernel * g->kernel; tap++) {
        const ptrdiff_t y = row * g->stride - g->top + tap / g->kernel;
        const ptrdiff_t x = column * g->stride - g->left + tap % g->kernel;
        if (y >= 0 && y < g->height && x >= 0 && x < g->width)
            sum += (double)args->weight.data[tap * channels + c] *
                   args->x.data[(y * g->width + x) * channels + c];
    }
    return isfinite(sum) ? sum : NAN;
}

static void check_depthwise(ck_geometry g, ptrdiff_t channels, int with_spans,
                            int activation, int kind) {
    ck_span *spans = take((size_t)g.out_height * sizeof *spans);
    ptrdiff_t pixels = 0;
    for (ptrdiff_t row = 0; row < g.out_height; row++) {
        spans[row] = (ck_span){0, g.out_width, pixels};
        if (with_spans) {
            spans[row].end = (ptrdiff_t)(next() % (uint64_t)g.out_width + 1);
            spans[row].first =
                (ptrdiff_t)(next() % (uint64_t)(spans[row].end + 1));
        }
        pixels += spans[row].end - spans[row].first;
    }
    ck_tensor bias = tensor(1, channels);
    const ck_depthwise_args args = {
        .x = operand(g.height * g.width, channels, kind),
        .weight = tensor(g.kernel * g.kernel, channels),
        .bias = activation == CK_RELU6 ? NULL : bias.data,
        .geometry = g,
        .spans = with_spans ? spans : NULL,
        .activation = activation,
        .out = guarded(pixels, channels),
    };
    ck_depthwise(NULL, args);
    double greatest = 0;
    for (ptrdiff_t row = 0; row < g.out_height; row++) {
        const ck_span s = spans[row];
        for (ptrdiff_t i = 0; i < (s.end - s.first) * channels; i++) {
            const double sum = depthwise_sum(&args, row, s.first + i / channels,
                                             i % channels);
            add_error(&greatest,
                      error_of(args.out.data[s.offset * channels + i],
                               activation_of(sum, activation)));
        }
    }
    expect("a depthwise convolution", channels, greatest, 3e-6);
    expect_guard("what lies behind a depthwise convolution", args.out);
    free(args.x.data), free(args.weight.data), free(args.out.data);
    free(bias.data), free(spans);
}

static void check_depthwise_shapes(int kind) {
    static const int activations[] = {CK_NONE, CK_RELU6, CK_GELU_ERF,
                                      CK_HARD_SWISH};
    static const ck_geometry shapes[] = {
        {9, 11, 3, 1, 1, 1, 9, 11}, /* padded */
        {13, 10, 3, 2, 1, 1, 7, 5}, /* the last window ends outside */
        {12, 17, 5, 2, 1, 2, 6, 9}, /* padded unevenly */
        {8, 19, 3, 1, 0, 0, 6, 17}, /* not padded */
        {2, 2, 7, 1, 3, 3, 2, 2},   /* a window beyond the picture */
    };
    static const ptrdiff_t channels[] = {1, 6, 37};
    for (int i = 0; i < 5 * 4 * 3 * 2; i++)
        check_depthwise(shapes[i % 5], channels[i / 5 % 3], i / 15 % 2,
                        activations[i / 30], kind);
}

static void check_pool(ptrdiff_t height, ptrdiff_t width, ptrdiff_t out_height,
                       ptrdiff_t out_width, ptrdiff_t n, int activation,
                       int kind) {
    const ck_pool2d_args args = {
        .x = operand(height * width, n, kind),
        .height = height,
        .width = width,
        .out_height = out_height,
        .out_width = out_width,
        .activation = activation,
        .out = guarded(out_height * out_width, n),
    };
    ck_average_pool(NULL, args);
    double greatest = 0;
    for (ptrdiff_t i = 0; i < out_height * out_width * n; i++) {
        const ptrdiff_t row = i / n / out_width, column = i / n % out_width;
        double sum = 0;
        ptrdiff_t count = 0;
        for (ptrdiff_t p = 0; p < height * width; p++) {
            const ptrdiff_t y = p / width * out_height;
            const ptrdiff_t x = p % width * out_width;
            /* Whether [y, y + out_height) meets [row, row + 1) * height. */
            if (y + out_height > row * height && y < (row + 1) * height &&
                x + out_width > column * width && x < (column + 1) * width) {
                sum += activation_of(args.x.data[p * n + i % n], activation);
                count++;
            }
        }
        add_error(&greatest, error_of(args.out.data[i], sum / (double)count));
    }
    expect("an average pool", n, greatest, 1e-6);
    expect_guard("what lies behind an average pool", args.out);
    free(args.x.data), free(args.out.data);
}

int main(void) {
    for (int set = 0; set < ck_instruction_set_count(); set++) {
        ck_select_instruction_set(set);
        state = 11;
        for (int kind = 0; kind < OPERANDS; kind++) {
            static const ptrdiff_t sizes[] = {1, 3, 19, 64, 197, 770};
            for (int i = 0; i < 6; i++) {
                check_norms(3, sizes[i], kind);
                check_gated_norm(3, 1 + i % 3, sizes[i], kind);
                check_softmax_and_means(3, sizes[i], kind);
                check_sums(5, 5, sizes[i], kind);
                check_sums(5, 1, sizes[i], kind);
            }
            check_depthwise_shapes(kind);
            check_pool(12, 12, 6, 6, 37, CK_GELU_ERF, kind);
            check_pool(13, 17, 5, 4, 6, CK_GELU_ERF, kind);
            check_pool(7, 5, 7, 5, 16, CK_NONE, kind);
            check_pool(9, 8, 1, 1, 3, CK_RELU6, kind);
        }
    }
    return failures > 0;
}
