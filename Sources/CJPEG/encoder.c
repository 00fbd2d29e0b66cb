/* SPDX-License-Identifier: Apache-2.0 */
#include "cjpeg.h"

#include <stdlib.h>

#include "failure.h"
#include "kept_memory.h"

struct cjpeg_encoder {
    struct jpeg_compress_struct libjpeg;
    struct jpeg_destination_mgr destination;
    struct failure failure;
    struct kept_memory memory;
    size_t capacity;
};

static void begin_destination(j_compress_ptr object) { (void)object; }

static boolean empty_destination(j_compress_ptr object) {
    failure_raise((j_common_ptr)object, "The JPEG is larger than its memory");
}

static void end_destination(j_compress_ptr object) { (void)object; }

struct cjpeg_encoder *cjpeg_encoder_new(unsigned width) {
    struct cjpeg_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) return NULL;
    struct jpeg_compress_struct *libjpeg = &encoder->libjpeg;
    libjpeg->err = failure_manager(&encoder->failure);
    if (setjmp(encoder->failure.way_out)) {
        cjpeg_encoder_free(encoder);
        return NULL;
    }
    jpeg_create_compress(libjpeg);
    encoder->destination = (struct jpeg_destination_mgr){
        .init_destination = begin_destination,
        .empty_output_buffer = empty_destination,
        .term_destination = end_destination,
    };
    libjpeg->dest = &encoder->destination;
    /* Rows of all stages of a 4:2:0 picture, and tables: more than is used. */
    size_t size = ((size_t)width + 64) * 144 + 65536;
    if (!kept_memory_attach(&encoder->memory, (j_common_ptr)libjpeg, size)) {
        cjpeg_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void cjpeg_encoder_free(struct cjpeg_encoder *encoder) {
    jpeg_destroy_compress(&encoder->libjpeg);
    kept_memory_free(&encoder->memory);
    free(encoder);
}

/* The tables and the component list, which lived in the memory of a picture. */
static void forget_tables(struct jpeg_compress_struct *libjpeg) {
    for (int table = 0; table < NUM_QUANT_TBLS; table++)
        libjpeg->quant_tbl_ptrs[table] = NULL;
    for (int table = 0; table < NUM_HUFF_TBLS; table++) {
        libjpeg->dc_huff_tbl_ptrs[table] = NULL;
        libjpeg->ac_huff_tbl_ptrs[table] = NULL;
    }
    libjpeg->comp_info = NULL;
}

const char *cjpeg_encode_begin(struct cjpeg_encoder *encoder, unsigned width,
                               unsigned height, int quality,
                               unsigned char *out, size_t capacity) {
    struct jpeg_compress_struct *libjpeg = &encoder->libjpeg;
    if (setjmp(encoder->failure.way_out)) {
        jpeg_abort_compress(libjpeg);
        return encoder->failure.text;
    }
    jpeg_abort_compress(libjpeg);
    forget_tables(libjpeg);
    encoder->destination.next_output_byte = out;
    encoder->destination.free_in_buffer = capacity;
    encoder->capacity = capacity;
    libjpeg->image_width = width;
    libjpeg->image_height = height;
    libjpeg->input_components = 3;
    libjpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(libjpeg);
    jpeg_set_quality(libjpeg, quality, TRUE);
    jpeg_start_compress(libjpeg, TRUE);
    return NULL;
}

const char *cjpeg_encode_row(struct cjpeg_encoder *encoder,
                             const unsigned char *row) {
    if (setjmp(encoder->failure.way_out)) {
        jpeg_abort_compress(&encoder->libjpeg);
        return encoder->failure.text;
    }
    JSAMPROW sample_row = (JSAMPROW)row;
    jpeg_write_scanlines(&encoder->libjpeg, &sample_row, 1);
    return NULL;
}

const char *cjpeg_encode_end(struct cjpeg_encoder *encoder, size_t *count) {
    if (setjmp(encoder->failure.way_out)) {
        jpeg_abort_compress(&encoder->libjpeg);
        return encoder->failure.text;
    }
    jpeg_finish_compress(&encoder->libjpeg);
    *count = encoder->capacity - encoder->destination.free_in_buffer;
    return NULL;
}
