/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCELLUS_CKERNELS_H
#define OCELLUS_CKERNELS_H
#endif
