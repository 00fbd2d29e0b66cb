/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "allocation_counter.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* One count per thread and those that it started, so that tests in other
 * threads do not disturb it. Counts outlive their threads; the last one is
 * shared by all that come too late. */
enum { COUNT_LIMIT = 4096 };
static atomic_long counts[COUNT_LIMIT];
static atomic_int given = 1;
static _Thread_local int own; /* 0: none yet */

static atomic_long *own_count(void) {
    if (own == 0) {
        own = atomic_fetch_add(&given, 1);
        if (own >= COUNT_LIMIT) own = COUNT_LIMIT - 1;
    }
    return &counts[own];
}

long allocation_count(void) { return atomic_load(own_count()); }

static void note(void) {
    atomic_fetch_add_explicit(own_count(), 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t elements, size_t size) {
    note();
    return __libc_calloc(elements, size);
}

void *realloc(void *block, size_t size) {
    note();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

struct start {
    void *(*function)(void *);
    void *argument;
    int count;
};

static void *begin(void *context) {
    struct start start = *(struct start *)context;
    own = start.count;
    free(context);
    return start.function(start.argument);
}

/* Whether a function is part of the test program, and not of a library, such
 * as the one whose threads run the tests. */
static int is_ours(void *(*function)(void *)) {
    Dl_info its, ours;
    return dladdr((void *)function, &its) != 0 &&
           dladdr((void *)is_ours, &ours) != 0 &&
           its.dli_fbase == ours.dli_fbase;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*function)(void *), void *argument) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                  void *) = dlsym(RTLD_NEXT, "pthread_create");
    if (!is_ours(function))
        return create(thread, attributes, function, argument);
    own_count();
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return EAGAIN;
    *start = (struct start){function, argument, own};
    int error = create(thread, attributes, begin, start);
    if (error != 0) free(start);
    return error;
}
