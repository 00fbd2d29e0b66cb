/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a libjpeg object while it codes one picture: a block that is
 * kept from picture to picture, in place of libjpeg's pools. What does not fit
 * comes from those pools, once: when the picture is done, the block grows to
 * what it would have needed.
 */
#ifndef OCELLUS_CJPEG_KEPT_MEMORY_H
#define OCELLUS_CJPEG_KEPT_MEMORY_H

#include <stddef.h>
#include <stdio.h>
/* libjpeg's header needs stdio's types before it. */
#include <jpeglib.h>

struct kept_memory {
    /* libjpeg's own ways, for what does not fit. */
    struct jpeg_memory_mgr pools;
    unsigned char *block;
    size_t size;
    size_t used;
    /* What the picture would have used of a block that is large enough. */
    size_t needed;
};

/* Takes over the memory of a new libjpeg object; 0: there is no memory. */
int kept_memory_attach(struct kept_memory *memory, j_common_ptr object,
                       size_t size);
void kept_memory_free(struct kept_memory *memory);

#endif
