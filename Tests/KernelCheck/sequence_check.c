/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention, activations, causal convolution and scans of every instruction
 * set of a processor against their definitions in double, for processors that
 * the Swift tests do not run on. Prints nothing but what is wrong.
 */
#include "expectations.h"
#include "random_operands.h"

#include <math.h>
#include <string.h>

static double softplus(double x) { return log1p(exp(x)); }

static void check_attention(ptrdiff_t tokens, ptrdiff_t heads,
                            ptrdiff_t width) {
    const ptrdiff_t columns = heads * width;
    ck_tensor q = tensor(tokens, columns), k = tensor(tokens, columns);
    ck_tensor v = tensor(tokens, columns), out = tensor(tokens, columns);
    void *scratch = take(ck_attention_scratch_size(tokens, 1));
    ck_attention(NULL, (ck_attention_args){q, k, v, heads, out, scratch});
    double greatest = 0, *powers = take((size_t)tokens * sizeof *powers);
    for (ptrdiff_t row = 0; row < tokens * heads; row++) {
        const ptrdiff_t at = row / heads * columns + row % heads * width;
        double sum = 0;
        for (ptrdiff_t j = 0; j < tokens; j++) {
            const float *key = k.data + j * columns + row % heads * width;
            double score = 0;
            for (ptrdiff_t i = 0; i < width; i++)
                score += (double)q.data[at + i] * key[i];
            sum += powers[j] = exp(score / sqrt((double)width));
        }
        for (ptrdiff_t i = 0; i < width; i++) {
            double mean = 0;
            for (ptrdiff_t j = 0; j < tokens; j++)
                mean += powers[j] / sum *
                        v.data[j * columns + row % heads * width + i];
            add_error(&greatest, error_of(out.data[at + i], mean));
        }
    }
    expect("attention", tokens, greatest, 3e-6);
    free(q.data), free(k.data), free(v.data), free(out.data);
    free(scratch), free(powers);
}

static void check_activations(ptrdiff_t count) {
    static const int kinds[] = {CK_SILU, CK_GELU_ERF, CK_GELU_TANH};
    for (int kind = 0; kind < 3; kind++) {
        ck_tensor x = tensor(1, count), y = tensor(1, count);
        double greatest = 0;
        for (ptrdiff_t i = 0; i < count; i++)
            y.data[i] = x.data[i] *= 12;
        ck_activate(NULL, (ck_activate_args){y, kinds[kind]});
        for (ptrdiff_t i = 0; i < count; i++) {
            const double v = x.data[i];
            const double u = sqrt(2 / M_PI) * (v + 0.044715 * v * v * v);
            const double expected[] = {silu(v), v / 2 * erfc(-v / M_SQRT2),
                                       v / 2 * (1 + tanh(u))};
            add_error(&greatest, error_of(y.data[i], expected[kind]));
        }
        expect("an activation", count, greatest, 2e-6);
        free(x.data), free(y.data);
    }
}

static void check_convolution(ptrdiff_t tokens, ptrdiff_t channels) {
    enum { TAPS = 4 };
    ck_tensor x = tensor(tokens, channels), out = tensor(tokens, channels);
    ck_tensor weight = tensor(channels, TAPS), bias = tensor(1, channels);
    ck_tensor history = tensor(TAPS - 1, channels);
    ck_tensor before = tensor(TAPS - 1, channels);
    memcpy(before.data, history.data,
           (size_t)(TAPS - 1) * (size_t)channels * sizeof(float));
    ck_causal_conv(NULL, (ck_causal_conv_args){
                             .x = x,
                             .weight = {weight.data, channels, TAPS, CK_F32},
                             .bias = bias.data,
                             .history = history,
                             .out = out,
                         });
    double greatest = 0;
    for (ptrdiff_t i = 0; i < tokens * channels; i++) {
        const ptrdiff_t t = i / channels, c = i % channels;
        double sum = bias.data[c];
        for (ptrdiff_t tap = 0; tap < TAPS; tap++) {
            const ptrdiff_t from = t + tap - (TAPS - 1);
            const float *row = from < 0
                                   ? before.data + (from + TAPS - 1) * channels
                                   : x.data + from * channels;
            sum += (double)weight.data[c * TAPS + tap] * row[c];
        }
        add_error(&greatest, error_of(out.data[i], silu(sum)));
    }
    expect("causal convolution", tokens, greatest, 3e-6);
    free(x.data), free(out.data), free(weight.data), free(bias.data);
    free(history.data), free(before.data);
}

/* A state of rows x states in double, that of h. */
static double *exact_state_of(ck_tensor h) {
    double *exact = take((size_t)(h.rows * h.columns) * sizeof *exact);
    for (ptrdiff_t i = 0; i < h.rows * h.columns; i++)
        exact[i] = h.data[i];
    return exact;
}

static double state_error(ck_tensor h, double *exact) {
    double greatest = 0;
    for (ptrdiff_t i = 0; i < h.rows * h.columns; i++)
        add_error(&greatest, error_of(h.data[i], exact[i]));
    free(exact);
    return greatest;
}

static void make_negative(ck_tensor a) {
    for (ptrdiff_t i = 0; i < a.rows * a.columns; i++)
        a.data[i] = -fabsf(a.data[i]) - 0.1f;
}

static void check_selective_scan(ptrdiff_t tokens, ptrdiff_t channels,
                                 ptrdiff_t states) {
    ck_tensor u = tensor(tokens, channels), delta = tensor(tokens, channels);
    ck_tensor delta_bias = tensor(1, channels), d = tensor(1, channels);
    ck_tensor a = tensor(channels, states), bc = tensor(tokens, 2 * states);
    ck_tensor gates = tensor(tokens, channels), h = tensor(channels, states);
    ck_tensor out = tensor(tokens, channels);
    make_negative(a);
    double *exact = exact_state_of(h), greatest = 0;
    ck_selective_scan(NULL, (ck_selective_scan_args){
                                .u = u,
                                .delta = delta,
                                .delta_bias = delta_bias.data,
                                .a = a.data,
                                .bc = bc,
                                .c_offset = states,
                                .d = d.data,
                                .gates = gates,
                                .h = h,
                                .out = out,
                            });
    for (ptrdiff_t i = 0; i < tokens * channels; i++) {
        const ptrdiff_t c = i % channels;
        const float *b = bc.data + i / channels * 2 * states;
        const double step =
            softplus((double)delta.data[i] + delta_bias.data[c]);
        double sum = (double)d.data[c] * u.data[i];
        for (ptrdiff_t n = 0; n < states; n++) {
            double *s = exact + c * states + n;
            *s = exp(step * a.data[c * states + n]) * *s +
                 step * b[n] * u.data[i];
            sum += b[states + n] * *s;
        }
        add_error(&greatest,
                  error_of(out.data[i], sum * silu(gates.data[i])));
    }
    add_error(&greatest, state_error(h, exact));
    expect("a selective scan", tokens, greatest, 1e-5);
    free(u.data), free(delta.data), free(delta_bias.data), free(d.data);
    free(a.data), free(bc.data), free(gates.data), free(h.data);
    free(out.data);
}

static void check_state_space_scan(ptrdiff_t tokens, ptrdiff_t heads,
                                   ptrdiff_t p, ptrdiff_t states) {
    const ptrdiff_t width = heads * p, stride = width + 2 * states;
    ck_tensor xbc = tensor(tokens, stride), dt = tensor(tokens, heads);
    ck_tensor dt_bias = tensor(1, heads), a = tensor(1, heads);
    ck_tensor d = tensor(1, heads), h = tensor(width, states);
    ck_tensor out = tensor(tokens, width);
    make_negative(a);
    double *exact = exact_state_of(h), greatest = 0;
    ck_state_space_scan(NULL, (ck_state_space_scan_args){
                                  .xbc = xbc,
                                  .projected = dt,
                                  .dt_bias = dt_bias.data,
                                  .a = a.data,
                                  .d = d.data,
                                  .heads = heads,
                                  .groups = 1,
                                  .h = h,
                                  .out = out,
                              });
    for (ptrdiff_t i = 0; i < tokens * width; i++) {
        const ptrdiff_t t = i / width, row = i % width, head = row / p;
        const float *x = xbc.data + t * stride, *b = x + width;
        const double step = softplus((double)dt.data[t * heads + head] +
                                     dt_bias.data[head]);
        double sum = (double)d.data[head] * x[row];
        for (ptrdiff_t n = 0; n < states; n++) {
            double *s = exact + row * states + n;
            *s = exp(step * a.data[head]) * *s + step * x[row] * b[n];
            sum += b[states + n] * *s;
        }
        add_error(&greatest, error_of(out.data[i], sum));
    }
    add_error(&greatest, state_error(h, exact));
    expect("a scan of Mamba-2", tokens, greatest, 1e-5);
    free(xbc.data), free(dt.data), free(dt_bias.data), free(a.data);
    free(d.data), free(h.data), free(out.data);
}

int main(void) {
    for (int set = 0; set < ck_instruction_set_count(); set++) {
        ck_select_instruction_set(set);
        state = 7;
        check_attention(1, 1, 8);
        check_attention(50, 2, 37);
        check_attention(300, 1, 24);
        check_activations(3001);
        static const ptrdiff_t lengths[] = {1, 7, 33, 70};
        for (int i = 0; i < 4; i++) {
            check_convolution(lengths[i], 45);
            check_selective_scan(lengths[i], 45, 16);
            check_selective_scan(lengths[i], 16, 5);
            check_state_space_scan(lengths[i], 3, 20, 40);
            check_state_space_scan(lengths[i], 2, 64, 128);
        }
    }
    return failures > 0;
}
