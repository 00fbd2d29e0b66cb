/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A team of threads for short loops.
 *
 * A job is a range of items, of which each member has an equal share, in
 * chunks. A member takes the chunks of its own share, so that one kernel finds
 * in its core's cache what the last one has left there, and then those that
 * are left of the others'. The caller takes chunks too and waits only for
 * members that have taken one: a thread that the system keeps from running
 * costs nothing, the caller then does the whole job. Waiting is a short spin,
 * then a futex, so that a busy neighbour on the machine is not disturbed.
 *
 * A member that loses its core inside a chunk holds up the caller for a time
 * slice of the system. After that the caller works alone for some such times.
 */
#include "kernels.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNKS_PER_THREAD = 4, /* so that a late thread leaves work to others */
    SPINS = 2000,          /* some tens of microseconds */
    STACK_SIZE = 512 * 1024,
    MAX_THREADS = 256
};

enum { /* nanoseconds */
    STALL = 500000,          /* the least wait that a lost core explains */
    ALONE_PER_STALL = 8,     /* then costs at most a ninth of the time */
    ALONE_LIMIT = 100000000  /* after a stop of the whole program, too */
};

/* A member's part of the items. */
typedef struct {
    _Alignas(64) _Atomic ptrdiff_t next; /* the first item not taken */
    ptrdiff_t end;
} share;

struct ck_pool {
    int thread_count; /* with the caller */
    /* The job; written while the gate is shut and nobody is inside. */
    ck_task *task;
    const void *args;
    ptrdiff_t chunk;
    int64_t alone_until; /* as now(); of the caller */
    _Alignas(64) _Atomic uint32_t gate;  /* OPEN + the count inside */
    _Alignas(64) _Atomic uint32_t epoch; /* counts jobs; members sleep on it */
    _Atomic uint32_t sleepers;
    _Atomic uint32_t stops;
    _Atomic int workers; /* the last number given to a thread */
    pthread_t threads[MAX_THREADS - 1];
    share shares[]; /* one for each member */
};

static const uint32_t OPEN = 1u << 31;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void wait_on(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void take_chunks_of(ck_pool *pool, share *share, int worker) {
    for (;;) {
        ptrdiff_t begin = atomic_fetch_add_explicit(&share->next, pool->chunk,
                                                    memory_order_relaxed);
        if (begin >= share->end)
            return;
        ptrdiff_t end = begin + pool->chunk;
        pool->task(pool->args, begin, end < share->end ? end : share->end,
                   worker);
    }
}

static void take_chunks(ck_pool *pool, int worker) {
    const int count = pool->thread_count;
    for (int i = 0; i < count; i++)
        take_chunks_of(pool, &pool->shares[(worker + i) % count], worker);
}

/* Whether the gate was open and the caller is now inside. */
static int enter(ck_pool *pool) {
    uint32_t gate = atomic_load_explicit(&pool->gate, memory_order_relaxed);
    while (gate & OPEN) {
        if (atomic_compare_exchange_weak_explicit(
                &pool->gate, &gate, gate + 1, memory_order_acquire,
                memory_order_relaxed))
            return 1;
    }
    return 0;
}

static void leave(ck_pool *pool) {
    uint32_t gate = atomic_fetch_sub_explicit(&pool->gate, 1,
                                              memory_order_release);
    if (gate == 1) /* the last one, and the gate is shut: the caller waits */
        wake_all(&pool->gate);
}

static uint32_t wait_for_job(ck_pool *pool, uint32_t seen) {
    for (int spin = 0; spin < SPINS; spin++) {
        uint32_t epoch = atomic_load_explicit(&pool->epoch,
                                              memory_order_acquire);
        if (epoch != seen)
            return epoch;
        pause_briefly();
    }
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->epoch) == seen)
        wait_on(&pool->epoch, seen);
    atomic_fetch_sub(&pool->sleepers, 1);
    return atomic_load(&pool->epoch);
}

static void *run_member(void *pointer) {
    ck_pool *pool = pointer;
    int worker = atomic_fetch_add(&pool->workers, 1) + 1;
    uint32_t seen = 0;
    for (;;) {
        seen = wait_for_job(pool, seen);
        if (atomic_load(&pool->stops))
            return NULL;
        if (enter(pool)) {
            take_chunks(pool, worker);
            leave(pool);
        }
    }
}

static cpu_set_t set_of_cores(const int *cores, int count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        if (cores[i] >= 0 && cores[i] < CPU_SETSIZE)
            CPU_SET(cores[i], &set);
    return set;
}

ck_pool *ck_pool_create(int thread_count, const int *cores) {
    if (thread_count > MAX_THREADS)
        thread_count = MAX_THREADS;
    if (cores) {
        cpu_set_t all = set_of_cores(cores, thread_count);
        pthread_setaffinity_np(pthread_self(), sizeof all, &all);
    }
    if (thread_count <= 1)
        return NULL;
    void *memory = NULL;
    size_t size = sizeof(ck_pool) + (size_t)thread_count * sizeof(share);
    if (posix_memalign(&memory, 64, size) != 0)
        return NULL;
    ck_pool *pool = memory;
    *pool = (ck_pool){.thread_count = 1};

    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) == 0) {
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        while (pool->thread_count < thread_count) {
            if (cores) {
                cpu_set_t own = set_of_cores(cores + pool->thread_count, 1);
                pthread_attr_setaffinity_np(&attributes, sizeof own, &own);
            }
            if (pthread_create(&pool->threads[pool->thread_count - 1],
                               &attributes, run_member, pool) != 0)
                break;
            pool->thread_count++;
        }
        pthread_attr_destroy(&attributes);
    }
    if (pool->thread_count == 1) {
        free(pool);
        return NULL;
    }
    return pool;
}

void ck_pool_destroy(ck_pool *pool) {
    if (!pool)
        return;
    atomic_store(&pool->stops, 1);
    atomic_fetch_add(&pool->epoch, 1);
    wake_all(&pool->epoch);
    for (int worker = 1; worker < pool->thread_count; worker++)
        pthread_join(pool->threads[worker - 1], NULL);
    free(pool);
}

int ck_pool_thread_count(const ck_pool *pool) {
    return pool ? pool->thread_count : 1;
}

/* Waits until no member is inside; tells the time that it slept. */
static int64_t wait_for_members(ck_pool *pool) {
    uint32_t inside = atomic_fetch_and_explicit(&pool->gate, ~OPEN,
                                                memory_order_acquire) & ~OPEN;
    for (int spin = 0; inside != 0 && spin < SPINS; spin++) {
        pause_briefly();
        inside = atomic_load_explicit(&pool->gate, memory_order_acquire);
    }
    if (inside == 0)
        return 0;
    const int64_t start = now();
    while (inside != 0) {
        wait_on(&pool->gate, inside);
        inside = atomic_load_explicit(&pool->gate, memory_order_acquire);
    }
    return now() - start;
}

void ck_parallel(ck_pool *pool, ck_task *task, const void *args,
                 ptrdiff_t items) {
    const int64_t start = pool ? now() : 0;
    if (!pool || items <= 1 || start < pool->alone_until) {
        task(args, 0, items, 0);
        return;
    }
    const ptrdiff_t count = pool->thread_count;
    pool->task = task;
    pool->args = args;
    pool->chunk = (items + count * CHUNKS_PER_THREAD - 1) /
                  (count * CHUNKS_PER_THREAD);
    for (ptrdiff_t i = 0; i < count; i++) {
        atomic_store_explicit(&pool->shares[i].next, items * i / count,
                              memory_order_relaxed);
        pool->shares[i].end = items * (i + 1) / count;
    }
    atomic_store_explicit(&pool->gate, OPEN, memory_order_release);
    atomic_fetch_add(&pool->epoch, 1);
    if (atomic_load(&pool->sleepers) > 0)
        wake_all(&pool->epoch);

    take_chunks(pool, 0);

    /* Another member's last chunk takes less than all that the caller did. */
    const int64_t worked = now() - start, waited = wait_for_members(pool);
    if (waited > STALL && waited > worked) {
        const int64_t alone = waited * ALONE_PER_STALL;
        pool->alone_until = now() + (alone < ALONE_LIMIT ? alone : ALONE_LIMIT);
    }
}
