/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and nothing else: what a product with weights can at best be. */

/* Reads the bytes [first, last) of a block of memory, in vectors. */
INLINE void read_range(const char *p, ptrdiff_t first, ptrdiff_t last) {
    enum { VECTORS = 4, STEP = VECTORS * LANES * 4 };
    vi sums[VECTORS] = {};
    for (; first + STEP <= last; first += STEP)
        for (int v = 0; v < VECTORS; v++)
            sums[v] ^= (vi)load((const float *)(p + first) + v * LANES);
    vi all = (sums[0] ^ sums[1]) ^ (sums[2] ^ sums[3]);
    int32_t result = __builtin_reduce_xor(all);
    for (; first < last; first++)
        result ^= p[first];
    __asm__ volatile("" : : "r"(result)); /* so that it is computed */
}

static void read_bytes(const void *pointer, ptrdiff_t begin, ptrdiff_t end,
                       int worker) {
    (void)worker;
    const ck_read_args *args = pointer;
    read_range(args->data, begin * READ_BLOCK,
               at_most(end * READ_BLOCK, args->size));
}
