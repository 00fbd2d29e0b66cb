/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as rows of patches (im2col), so that a convolution is a matrix
 * product: copies only, the same for every instruction set.
 */
#include "kernels.h"

#include <string.h>

/* The window of an output pixel: its corner, which may lie outside. */
typedef struct {
    ptrdiff_t top, left;
} window;

/* The patch of a window of planes (c, h * w). */
static void planar_patch(const ck_patches_args *args, window at, float *out) {
    const ck_geometry *g = &args->geometry;
    ptrdiff_t first = at.left < 0 ? -at.left : 0;
    ptrdiff_t last =
        g->width - at.left < g->kernel ? g->width - at.left : g->kernel;
    for (ptrdiff_t c = 0; c < args->x.rows; c++) {
        const float *plane = args->x.data + c * args->x.columns;
        for (ptrdiff_t y = at.top; y < at.top + g->kernel; y++) {
            if (y < 0 || y >= g->height || first >= last) {
                memset(out, 0, (size_t)g->kernel * sizeof(float));
            } else {
                for (ptrdiff_t x = 0; x < first; x++)
                    out[x] = 0;
                memcpy(out + first, plane + y * g->width + at.left + first,
                       (size_t)(last - first) * sizeof(float));
                for (ptrdiff_t x = last; x < g->kernel; x++)
                    out[x] = 0;
            }
            out += g->kernel;
        }
    }
}

/* The patch of a window of pixels (h * w, c). */
static void interleaved_patch(const ck_patches_args *args, window at,
                              float *out) {
    const ck_geometry *g = &args->geometry;
    const ptrdiff_t channels = args->x.columns, area = g->kernel * g->kernel;
    for (ptrdiff_t tap = 0; tap < area; tap++) {
        ptrdiff_t y = at.top + tap / g->kernel, x = at.left + tap % g->kernel;
        int is_inside = y >= 0 && y < g->height && x >= 0 && x < g->width;
        const float *from =
            args->x.data + (is_inside ? y * g->width + x : 0) * channels;
        for (ptrdiff_t c = 0; c < channels; c++)
            out[c * area + tap] = is_inside ? from[c] : 0;
    }
}

typedef void patch_of(const ck_patches_args *args, window at, float *out);

/* The patches of the spans of output rows of pixels. */
static inline void patches(const ck_patches_args *args, ptrdiff_t begin,
                           ptrdiff_t end, patch_of *patch) {
    const ck_geometry *g = &args->geometry;
    for (ptrdiff_t row = begin; row < end; row++) {
        const ck_span span = ck_span_of(args->spans, g, row);
        float *out = args->out.data + span.offset * args->out.columns;
        for (ptrdiff_t column = span.first; column < span.end; column++) {
            patch(args,
                  (window){row * g->stride - g->top,
                           column * g->stride - g->left},
                  out);
            out += args->out.columns;
        }
    }
}

/* An item is an output row of pixels. */
void ck_task_patches_planar(const void *pointer, ptrdiff_t begin,
                            ptrdiff_t end, int worker) {
    (void)worker;
    patches(pointer, begin, end, planar_patch);
}

/* An item is an output row of pixels. */
void ck_task_patches_interleaved(const void *pointer, ptrdiff_t begin,
                                 ptrdiff_t end, int worker) {
    (void)worker;
    patches(pointer, begin, end, interleaved_patch);
}
