/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All kernels, in the vectors of the header that was included before. The
 * file that includes this one has SET_NAME, FEW_TOKENS and FEW_TOKENS_INT8.
 */

#include "kernels.h"

#include "int8_products.inc.h"
#include "matmul_few.inc.h"
#include "matmul_packed.inc.h"
#include "dequantize.inc.h"
#include "rows.inc.h"
#include "attention.inc.h"
#include "convolution.inc.h"
#include "scan.inc.h"
#include "state_space.inc.h"
#include "read.inc.h"

static const ck_kernels kernels_of_this_set = {
    .name = SET_NAME,
    .few_tokens = FEW_TOKENS,
    .few_tokens_int8 = FEW_TOKENS_INT8,
#define CK_TASK_ENTRY(task) .task = task,
    CK_TASKS(CK_TASK_ENTRY)
#undef CK_TASK_ENTRY
};
