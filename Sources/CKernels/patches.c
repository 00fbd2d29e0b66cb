/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as rows of patches (im2col), so that a convolution is a matrix
 * product: copies only, the same for every instruction set.
 */
#include "kernels.h"

#include <string.h>

/* An item is an output row of pixels. */
void ck_task_patches_planar(const void *pointer, ptrdiff_t begin,
                            ptrdiff_t end, int worker) {
    (void)worker;
    const ck_patches_args *args = pointer;
    const ck_geometry *g = &args->geometry;
    for (ptrdiff_t pixel = begin * g->out_width; pixel < end * g->out_width;
         pixel++) {
        ptrdiff_t top = pixel / g->out_width * g->stride - g->top;
        ptrdiff_t left = pixel % g->out_width * g->stride - g->left;
        ptrdiff_t first = left < 0 ? -left : 0;
        ptrdiff_t last =
            g->width - left < g->kernel ? g->width - left : g->kernel;
        float *out = args->out.data + pixel * args->out.columns;
        for (ptrdiff_t c = 0; c < args->x.rows; c++) {
            const float *plane = args->x.data + c * args->x.columns;
            for (ptrdiff_t y = top; y < top + g->kernel; y++) {
                if (y < 0 || y >= g->height || first >= last) {
                    memset(out, 0, (size_t)g->kernel * sizeof(float));
                } else {
                    for (ptrdiff_t x = 0; x < first; x++)
                        out[x] = 0;
                    memcpy(out + first, plane + y * g->width + left + first,
                           (size_t)(last - first) * sizeof(float));
                    for (ptrdiff_t x = last; x < g->kernel; x++)
                        out[x] = 0;
                }
                out += g->kernel;
            }
        }
    }
}

/* An item is an output row of pixels. */
void ck_task_patches_interleaved(const void *pointer, ptrdiff_t begin,
                                 ptrdiff_t end, int worker) {
    (void)worker;
    const ck_patches_args *args = pointer;
    const ck_geometry *g = &args->geometry;
    const ptrdiff_t channels = args->x.columns, area = g->kernel * g->kernel;
    for (ptrdiff_t pixel = begin * g->out_width; pixel < end * g->out_width;
         pixel++) {
        ptrdiff_t top = pixel / g->out_width * g->stride - g->top;
        ptrdiff_t left = pixel % g->out_width * g->stride - g->left;
        float *out = args->out.data + pixel * args->out.columns;
        for (ptrdiff_t tap = 0; tap < area; tap++) {
            ptrdiff_t y = top + tap / g->kernel, x = left + tap % g->kernel;
            int is_inside = y >= 0 && y < g->height && x >= 0 && x < g->width;
            const float *from =
                args->x.data + (is_inside ? y * g->width + x : 0) * channels;
            for (ptrdiff_t c = 0; c < channels; c++)
                out[c * area + tap] = is_inside ? from[c] : 0;
        }
    }
}
