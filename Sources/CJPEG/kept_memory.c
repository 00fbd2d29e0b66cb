/* SPDX-License-Identifier: Apache-2.0 */
#include "kept_memory.h"

#include <stdint.h>
#include <stdlib.h>

#include <jerror.h>

/* libjpeg-turbo's vector code wants rows that begin at and are padded to this. */
enum { alignment = 64 };

static size_t rounded_up(size_t size) {
    return (size + alignment - 1) / alignment * alignment;
}

static void resize_block(struct kept_memory *memory, size_t size) {
    void *block = NULL;
    free(memory->block);
    if (posix_memalign(&block, alignment, rounded_up(size)) != 0) block = NULL;
    memory->block = block;
    memory->size = block ? rounded_up(size) : 0;
}

/*
 * Serves both pools: what libjpeg allocates for good while it reads a picture
 * (tables) is forgotten with the picture by its coder.
 */
static void *allocate(j_common_ptr object, int pool, size_t size) {
    struct kept_memory *memory = object->client_data;
    (void)pool;
    if (size > SIZE_MAX / 4) ERREXIT1(object, JERR_OUT_OF_MEMORY, 0);
    size = rounded_up(size);
    memory->needed += size;
    if (size > memory->size - memory->used)
        return memory->pools.alloc_large(object, JPOOL_IMAGE, size);
    void *bytes = memory->block + memory->used;
    memory->used += size;
    return bytes;
}

static JSAMPARRAY allocate_rows(j_common_ptr object, int pool,
                                JDIMENSION columns, JDIMENSION rows) {
    size_t row_size = rounded_up((size_t)columns * sizeof(JSAMPLE));
    if (rows > 0 && row_size > SIZE_MAX / 4 / rows)
        ERREXIT1(object, JERR_OUT_OF_MEMORY, 0);
    JSAMPARRAY array = allocate(object, pool, rows * sizeof(JSAMPROW));
    unsigned char *samples = allocate(object, pool, rows * row_size);
    for (JDIMENSION row = 0; row < rows; row++)
        array[row] = samples + row * row_size;
    return array;
}

/* libjpeg calls this for the pool of the picture when it is done or given up. */
static void free_pool(j_common_ptr object, int pool) {
    struct kept_memory *memory = object->client_data;
    memory->pools.free_pool(object, pool);
    if (pool != JPOOL_IMAGE) return;
    if (memory->needed > memory->size) resize_block(memory, memory->needed);
    memory->used = 0;
    memory->needed = 0;
}

int kept_memory_attach(struct kept_memory *memory, j_common_ptr object,
                       size_t size) {
    memory->pools = *object->mem;
    memory->block = NULL;
    memory->used = 0;
    memory->needed = 0;
    resize_block(memory, size);
    if (!memory->block) return 0;
    object->client_data = memory;
    object->mem->alloc_small = allocate;
    object->mem->alloc_large = allocate;
    object->mem->alloc_sarray = allocate_rows;
    object->mem->free_pool = free_pool;
    return 1;
}

void kept_memory_free(struct kept_memory *memory) { free(memory->block); }
