/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recurrences of state-space models: channels are cut into blocks, and
 * time runs inside a block, so that its state and parameters are read once. A
 * block's tokens lie in pages of their own, which no processor fetches ahead by
 * itself, and half of what another core has written is in that core's cache:
 * the tokens to come are asked for.
 */

enum { TOKENS_AHEAD = 8 };

/* ---- Causal convolution ---- */

enum { CONV_TAPS = 4 /* taps that one pass sums */ };

/* The input of a token, which is before the first for from < 0. */
INLINE const float *conv_input(const ck_causal_conv_args *args, ptrdiff_t from,
                               ptrdiff_t c) {
    if (from < 0)
        return args->history.data +
               (from + args->history.rows) * args->history.columns + c;
    return args->x.data + from * args->x.columns + args->offset + c;
}

/*
 * LANES channels from c of the given count, and the taps [first, first +
 * CONV_TAPS) or less, through all tokens. The first pass begins the sums in
 * out with the bias, the last one ends them with SiLU.
 */
INLINE void causal_conv_lanes(const ck_causal_conv_args *args, const int type,
                              ptrdiff_t c, ptrdiff_t count, ptrdiff_t first) {
    const ptrdiff_t total = args->weight.columns, past = total - 1;
    const ptrdiff_t taps = at_most(CONV_TAPS, total - first);
    const ptrdiff_t size = row_size(type, total);
    const uint8_t *weight = weight_row(&args->weight, type, c);
    const vf bias = args->bias ? load_at(args->bias + c, 0, count) : (vf){};
    float w[CONV_TAPS][LANES] = {};
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t j = 0; j < taps; j++)
            w[j][i] = weight_at(type, weight + i * size, first + j);

    for (ptrdiff_t t = 0; t < args->x.rows; t++) {
        float *out = args->out.data + t * args->out.columns + c;
        __builtin_prefetch(conv_input(args, t + TOKENS_AHEAD, c));
        vf sum = first == 0 ? bias : load_at(out, 0, count);
        for (ptrdiff_t j = 0; j < taps; j++) {
            const float *x = conv_input(args, t + first + j - past, c);
            sum += load(w[j]) * load_at(x, 0, count);
        }
        store_at(out, first + taps == total ? silu(sum) : sum, 0, count);
    }
}

INLINE void causal_conv_channels(const ck_causal_conv_args *args, ptrdiff_t c,
                                 ptrdiff_t count) {
    for (ptrdiff_t j = 0; j < args->weight.columns; j += CONV_TAPS) {
        switch (args->weight.type) {
        case CK_F32: causal_conv_lanes(args, CK_F32, c, count, j); break;
        case CK_F16: causal_conv_lanes(args, CK_F16, c, count, j); break;
        case CK_BF16: causal_conv_lanes(args, CK_BF16, c, count, j); break;
        }
    }
    for (ptrdiff_t j = 0; j < args->history.rows; j++) {
        ptrdiff_t from = args->x.rows + j - args->history.rows;
        store_at(args->history.data + j * args->history.columns + c,
                 load_at(conv_input(args, from, c), 0, count), 0, count);
    }
}

static void causal_conv(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                        int worker) {
    (void)worker;
    const ck_causal_conv_args *args = pointer;
    ptrdiff_t c = begin * CHANNEL_BLOCK;
    ptrdiff_t last = at_most(args->out.columns, end * CHANNEL_BLOCK);
    for (; c + LANES <= last; c += LANES)
        causal_conv_channels(args, c, LANES);
    if (c < last)
        causal_conv_channels(args, c, last - c);
}

/* ---- Mamba ---- */

enum { SCAN_STATES = 16 /* states per channel that one pass keeps */ };

/* to[n] holds state n of channels rows; from is (channels, stride). */
INLINE void load_states(const float *from, ptrdiff_t stride,
                        ptrdiff_t channels, ptrdiff_t states,
                        vf to[SCAN_STATES]) {
    for (ptrdiff_t n = 0; n < SCAN_STATES; n += LANES) {
        vf block[LANES];
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++)
            block[i] = i < channels && n < states
                           ? load_at(from + i * stride, n, states)
                           : (vf){};
        transpose(block);
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++)
            to[n + i] = block[i];
    }
}

INLINE void store_states(float *to, ptrdiff_t stride, ptrdiff_t channels,
                         ptrdiff_t states, const vf from[SCAN_STATES]) {
    for (ptrdiff_t n = 0; n < states; n += LANES) {
        vf block[LANES];
#pragma clang loop unroll(full)
        for (int i = 0; i < LANES; i++)
            block[i] = from[n + i];
        transpose(block);
        for (int i = 0; i < channels; i++)
            store_at(to + i * stride, block[i], n, states);
    }
}

/* The values of token t times silu(z), if there is a gate. */
INLINE vf gated(const ck_selective_scan_args *args, ptrdiff_t t, ptrdiff_t i,
                ptrdiff_t count, vf values) {
    const float *z = args->gates.data;
    if (!z)
        return values;
    z += t * args->gates.columns + args->z_offset + i;
    return values * silu(load_at(z, 0, count));
}

INLINE void prefetch_scan(const ck_selective_scan_args *args, ptrdiff_t t,
                          ptrdiff_t i) {
    __builtin_prefetch(args->u.data + t * args->out.columns + i);
    __builtin_prefetch(args->delta.data + t * args->out.columns + i);
    __builtin_prefetch(args->gates.data + t * args->gates.columns +
                       args->z_offset + i);
}

/*
 * LANES channels from i of the given count, and the states [first, first +
 * states), through all tokens. The first pass begins the sum over states in
 * out, the last one ends it with d u and the gate.
 */
INLINE void selective_scan_lanes(const ck_selective_scan_args *args,
                                 ptrdiff_t i, ptrdiff_t count,
                                 ptrdiff_t first, const ptrdiff_t states) {
    const ptrdiff_t width = args->out.columns, total = args->h.columns;
    const int is_first = first == 0, is_last = first + states == total;
    float *state = args->h.data + i * total + first;
    vf h[SCAN_STATES], a[SCAN_STATES];
    load_states(state, total, count, states, h);
    load_states(args->a + i * total + first, total, count, states, a);
    const vf bias = load_at(args->delta_bias + i, 0, count);
    const vf d = load_at(args->d + i, 0, count);

    for (ptrdiff_t t = 0; t < args->u.rows; t++) {
        const float *bc = args->bc.data + t * args->bc.columns + first;
        const float *b = bc + args->b_offset, *c = bc + args->c_offset;
        float *out = args->out.data + t * width + i;
        prefetch_scan(args, t + TOKENS_AHEAD, i);
        vf u = load_at(args->u.data + t * width + i, 0, count);
        vf raw = load_at(args->delta.data + t * width + i, 0, count);
        vf delta = softplus(raw + bias);
        vf delta_u = delta * u;
        vf sum = is_first ? (vf){} : load_at(out, 0, count);
#pragma clang loop unroll(full)
        for (ptrdiff_t n = 0; n < SCAN_STATES; n++) {
            if (n < states) {
                h[n] = exponential(delta * a[n]) * h[n] + delta_u * b[n];
                sum += h[n] * c[n];
            }
        }
        if (is_last)
            sum = gated(args, t, i, count, sum + d * u);
        store_at(out, sum, 0, count);
    }
    store_states(state, total, count, states, h);
}

/*
 * LANES channels from i of the given count, for one token: the lanes hold
 * states, which saves the transpositions, and the sums alone are transposed.
 */
INLINE void selective_step(const ck_selective_scan_args *args, ptrdiff_t i,
                           ptrdiff_t count) {
    const ptrdiff_t states = args->h.columns;
    const float *b = args->bc.data + args->b_offset;
    const float *c = args->bc.data + args->c_offset;
    vf u = load_at(args->u.data + i, 0, count);
    vf bias = load_at(args->delta_bias + i, 0, count);
    vf delta = softplus(load_at(args->delta.data + i, 0, count) + bias);
    float deltas[LANES], inputs[LANES];
    store(deltas, delta);
    store(inputs, delta * u);

    vf sums[LANES] = {};
    for (ptrdiff_t lane = 0; lane < count; lane++) {
        float *h = args->h.data + (i + lane) * states;
        const float *a = args->a + (i + lane) * states;
        for (ptrdiff_t n = 0; n < states; n += LANES) {
            vf decay = exponential(deltas[lane] * load_at(a, n, states));
            vf next = decay * load_at(h, n, states) +
                      inputs[lane] * load_at(b, n, states);
            store_at(h, next, n, states);
            sums[lane] += next * load_at(c, n, states);
        }
    }
    transpose(sums);
    vf sum = load_at(args->d + i, 0, count) * u;
    for (int lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    store_at(args->out.data + i, gated(args, 0, i, count, sum), 0, count);
}

INLINE void selective_scan_channels(const ck_selective_scan_args *args,
                                    ptrdiff_t i, ptrdiff_t count) {
    const ptrdiff_t total = args->h.columns;
    if (args->u.rows == 1) {
        selective_step(args, i, count);
        return;
    }
    ptrdiff_t n = 0;
    for (; n + SCAN_STATES <= total; n += SCAN_STATES)
        selective_scan_lanes(args, i, count, n, SCAN_STATES);
    if (n < total)
        selective_scan_lanes(args, i, count, n, total - n);
}

static void selective_scan(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                           int worker) {
    (void)worker;
    const ck_selective_scan_args *args = pointer;
    ptrdiff_t i = begin * CHANNEL_BLOCK;
    ptrdiff_t last = at_most(args->out.columns, end * CHANNEL_BLOCK);
    for (; i + LANES <= last; i += LANES)
        selective_scan_channels(args, i, LANES);
    if (i < last)
        selective_scan_channels(args, i, last - i);
}
