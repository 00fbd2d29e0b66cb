/* SPDX-License-Identifier: Apache-2.0 */
/* The products of quantised weights with many tokens, and what they stand on:
 * all that a set needs that has these alone. */

#include "blocks.inc.h"
#include "weights.inc.h"
#include "interleaved.inc.h"
#include "quantize.inc.h"
#include "tiles.inc.h"
#include "pack_int8.inc.h"
#include "matmul_int8.inc.h"
