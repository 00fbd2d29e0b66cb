/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of kernels by one thread, one after the other, with their times. */
#include "profile.h"

#include <time.h>

static _Thread_local struct {
    ck_profile_entry *entries;
    ptrdiff_t count, capacity;
    int part;
} profile;

void ck_profile_begin(ck_profile_entry *entries, ptrdiff_t capacity) {
    profile.entries = entries;
    profile.count = 0;
    profile.capacity = capacity;
    profile.part = 0;
}

ptrdiff_t ck_profile_end(void) {
    profile.entries = NULL;
    return profile.count;
}

void ck_profile_part(int part) { profile.part = part; }

long long ck_profile_clock(void) {
    if (!profile.entries)
        return 0;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* The name of a task of any set. */
static const char *name_of(ck_task *task) {
    const ck_kernels *const sets[] = {ck_kernels_baseline, ck_kernels_avx2,
                                      ck_kernels_avx512, ck_kernels_avx512bf16,
                                      ck_kernels_dotprod, ck_kernels_i8mm,
                                      ck_kernels_fp16};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!sets[i])
            continue;
#define CK_TASK_NAME(name)                                                     \
    if (sets[i]->name == task)                                                 \
        return #name;
        CK_TASKS(CK_TASK_NAME)
#undef CK_TASK_NAME
    }
    return "patches"; /* the tasks that exist once */
}

void ck_profile_add(ck_task *task, long long start) {
    if (start == 0 || profile.count == profile.capacity)
        return;
    profile.entries[profile.count++] = (ck_profile_entry){
        name_of(task), profile.part, ck_profile_clock() - start};
}
