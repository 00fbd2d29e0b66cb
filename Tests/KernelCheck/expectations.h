/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of this folder expect of results, and how they complain. */
#ifndef EXPECTATIONS_H
#define EXPECTATIONS_H

#include "ckernels.h"

#include <math.h>
#include <stdio.h>

static int failures;

/* The difference to what is expected, in parts of 1 or of that. Where that is
 * infinite or no number, the result must not be finite either. */
static double error_of(double actual, double expected) {
    if (!isfinite(expected))
        return isfinite(actual) ? INFINITY : 0;
    return fabs(actual - expected) / fmax(1, fabs(expected));
}

static void add_error(double *greatest, double error) {
    if (!(error <= *greatest)) /* or NaN */
        *greatest = error;
}

static void expect(const char *what, ptrdiff_t size, double error,
                   double limit) {
    if (error <= limit)
        return;
    failures++;
    fprintf(stderr, "%s: %s of %td is off by %.1e, more than %.0e\n",
            ck_instruction_set_name(), what, size, error, limit);
}

static double silu(double x) { return x / (1 + exp(-x)); }

#endif
