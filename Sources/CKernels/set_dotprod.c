/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels for AArch64 with dot products of bytes (Armv8.2 and later). */
#include "kernels.h"

#if defined(__aarch64__)

#include <arm_neon.h> /* before the pragma: its functions have targets */

#pragma clang attribute push(__attribute__((target("dotprod"))),               \
                             apply_to = function)

#define SET_NAME "neon-dotprod"
#define FEW_TOKENS 4
#define FEW_TOKENS_INT8 3
#define HAS_DOTPROD 1
#include "simd_neon.h"
#include "instruction_set.inc.h"

#pragma clang attribute pop

const ck_kernels *const ck_kernels_dotprod = &kernels_of_this_set;

#else
const ck_kernels *const ck_kernels_dotprod = NULL;
#endif
