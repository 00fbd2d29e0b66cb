/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution and pooling over pixels (h * w, c): lanes hold
 * channels. */

enum { DEPTHWISE_PIXELS = 4 /* that share a load of the weights */ };

/* The taps [first, last) of a window that lie inside the picture. */
typedef struct {
    ptrdiff_t first, last;
} taps_inside;

INLINE taps_inside inside(ptrdiff_t origin, ptrdiff_t kernel,
                          ptrdiff_t length) {
    taps_inside taps = {origin < 0 ? -origin : 0, kernel};
    if (taps.last > length - origin)
        taps.last = length - origin;
    return taps;
}

/* Some neighbouring output pixels from (row, column), LANES channels from c of
 * the given count; the taps down and across lie inside for all of them. The
 * first goes to the given row of out. */
INLINE void depthwise_pixels(const ck_depthwise_args *args,
                             const int activation, const int pixels,
                             ptrdiff_t row, ptrdiff_t column, taps_inside down,
                             taps_inside across, ptrdiff_t out_row,
                             ptrdiff_t c, const ptrdiff_t count) {
    const ck_geometry *g = &args->geometry;
    const ptrdiff_t channels = args->x.columns;
    const ptrdiff_t y = row * g->stride - g->top;
    const ptrdiff_t x = column * g->stride - g->left;
    const vf bias = args->bias ? load_at(args->bias + c, 0, count) : (vf){};
    vf sums[DEPTHWISE_PIXELS];
#pragma clang loop unroll(full)
    for (int p = 0; p < pixels; p++)
        sums[p] = bias;
    for (ptrdiff_t ky = down.first; ky < down.last; ky++) {
        const float *from =
            args->x.data + ((y + ky) * g->width + x) * channels + c;
        const float *weight = args->weight.data + ky * g->kernel * channels + c;
        for (ptrdiff_t kx = across.first; kx < across.last; kx++) {
            vf w = load_at(weight + kx * channels, 0, count);
#pragma clang loop unroll(full)
            for (int p = 0; p < pixels; p++)
                sums[p] +=
                    load_at(from + (kx + p * g->stride) * channels, 0, count) *
                    w;
        }
    }
    float *out = args->out.data + out_row * channels + c;
#pragma clang loop unroll(full)
    for (int p = 0; p < pixels; p++)
        store_at(out + p * channels,
                 activation_of(finite_or_nan(sums[p]), activation), 0, count);
}

/* The span of an output row, LANES channels from c of the given count. */
INLINE void depthwise_lanes(const ck_depthwise_args *args,
                            const int activation, ptrdiff_t row, ptrdiff_t c,
                            const ptrdiff_t count) {
    const ck_geometry *g = &args->geometry;
    const taps_inside all = {0, g->kernel};
    taps_inside down =
        inside(row * g->stride - g->top, g->kernel, g->height);
    const ck_span span = ck_span_of(args->spans, g, row);
    ptrdiff_t column = span.first;
    while (column < span.end) {
        ptrdiff_t x = column * g->stride - g->left;
        ptrdiff_t end = x + (DEPTHWISE_PIXELS - 1) * g->stride + g->kernel;
        ptrdiff_t out_row = span.offset + column - span.first;
        if (x >= 0 && end <= g->width &&
            column + DEPTHWISE_PIXELS <= span.end) {
            depthwise_pixels(args, activation, DEPTHWISE_PIXELS, row, column,
                             down, all, out_row, c, count);
            column += DEPTHWISE_PIXELS;
        } else {
            depthwise_pixels(args, activation, 1, row, column, down,
                             inside(x, g->kernel, g->width), out_row, c,
                             count);
            column++;
        }
    }
}

INLINE void depthwise_row(const ck_depthwise_args *args, const int activation,
                          ptrdiff_t row) {
    const ptrdiff_t channels = args->x.columns;
    ptrdiff_t c = 0;
    for (; c + LANES <= channels; c += LANES)
        depthwise_lanes(args, activation, row, c, LANES);
    if (c < channels)
        depthwise_lanes(args, activation, row, c, channels - c);
}

static void depthwise(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                      int worker) {
    (void)worker;
    const ck_depthwise_args *args = pointer;
    for (ptrdiff_t row = begin; row < end; row++) {
#define BODY(activation) depthwise_row(args, activation, row)
        WITH_ACTIVATION(args->activation, BODY)
#undef BODY
    }
}

/* A row of means; activation is a constant. */
INLINE void average_pool_row(const ck_pool2d_args *args, const int activation,
                             ptrdiff_t row) {
    const ptrdiff_t n = args->x.columns;
    ptrdiff_t top = row * args->height / args->out_height;
    ptrdiff_t bottom =
        ((row + 1) * args->height + args->out_height - 1) / args->out_height;
    for (ptrdiff_t column = 0; column < args->out_width; column++) {
        ptrdiff_t left = column * args->width / args->out_width;
        ptrdiff_t right = ((column + 1) * args->width + args->out_width - 1) /
                          args->out_width;
        float factor = 1.0f / (float)((bottom - top) * (right - left));
        float *out = args->out.data + (row * args->out_width + column) * n;
        for (ptrdiff_t i = 0; i < n; i += LANES) {
            vf sum = {};
            for (ptrdiff_t y = top; y < bottom; y++) {
                for (ptrdiff_t x = left; x < right; x++) {
                    const float *from =
                        args->x.data + (y * args->width + x) * n;
                    sum += activation_of(load_at(from, i, n), activation);
                }
            }
            store_at(out, sum * factor, i, n);
        }
    }
}

static void average_pool(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                         int worker) {
    (void)worker;
    const ck_pool2d_args *args = pointer;
    for (ptrdiff_t row = begin; row < end; row++) {
#define BODY(activation) average_pool_row(args, activation, row)
        WITH_ACTIVATION(args->activation, BODY)
#undef BODY
    }
}
