/* SPDX-License-Identifier: Apache-2.0 */
/* Where the entry points tell how long a task took, if somebody records it. */
#ifndef OCELLUS_PROFILE_H
#define OCELLUS_PROFILE_H

#include "kernels.h"

/* The time in nanoseconds if this thread records, else 0. */
long long ck_profile_clock(void);
/* Records a task that began at the time, unless that is 0. */
void ck_profile_add(ck_task *task, long long start);

#endif
