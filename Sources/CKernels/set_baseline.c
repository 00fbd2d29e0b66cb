/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for the processor that the compiler assumes. */
#include "kernels.h"

/* Functions take vectors wider than the registers; all are inlined. */
#pragma clang diagnostic ignored "-Wpsabi"

#define FEW_TOKENS 4
#define FEW_TOKENS_INT8 3
#if defined(__aarch64__)
#define SET_NAME "neon"
#include "simd_neon.h"
#else
#define SET_NAME "baseline"
#include "simd_portable.h"
#endif
#include "instruction_set.inc.h"

const ck_kernels *const ck_kernels_baseline = &kernels_of_this_set;
