/* SPDX-License-Identifier: Apache-2.0 */
#include "cjpeg.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <jerror.h>

#include "failure.h"
#include "kept_memory.h"

/* A progressive picture of so many scans was made to keep a decoder busy. */
enum { scan_limit = 500 };

enum { piece_size = 16384 };

struct cjpeg_decoder {
    struct jpeg_decompress_struct libjpeg; /* first: libjpeg's is also ours */
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    struct failure failure;
    struct kept_memory memory;
    int file;
    unsigned char piece[piece_size];
};

static void begin_source(j_decompress_ptr object) { (void)object; }

/* The next piece of the file. No more bytes are a warning, which fails. */
static boolean fill_source(j_decompress_ptr object) {
    struct cjpeg_decoder *decoder = (struct cjpeg_decoder *)object;
    ssize_t count = 0;
    if (decoder->file >= 0) {
        do {
            count = read(decoder->file, decoder->piece, piece_size);
        } while (count < 0 && errno == EINTR);
    }
    if (count < 0) ERREXIT(object, JERR_FILE_READ);
    if (count == 0) ERREXIT(object, JWRN_JPEG_EOF);
    decoder->source.next_input_byte = decoder->piece;
    decoder->source.bytes_in_buffer = (size_t)count;
    return TRUE;
}

static void skip_source(j_decompress_ptr object, long count) {
    struct jpeg_source_mgr *source = object->src;
    if (count <= 0) return;
    while ((size_t)count > source->bytes_in_buffer) {
        count -= (long)source->bytes_in_buffer;
        fill_source(object);
    }
    source->next_input_byte += count;
    source->bytes_in_buffer -= (size_t)count;
}

static void end_source(j_decompress_ptr object) { (void)object; }

static void limit_scans(j_common_ptr object) {
    if (((j_decompress_ptr)object)->input_scan_number > scan_limit)
        failure_raise(object, "Progressive JPEG has too many scans");
}

struct cjpeg_decoder *cjpeg_decoder_new(unsigned width) {
    struct cjpeg_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    struct jpeg_decompress_struct *libjpeg = &decoder->libjpeg;
    libjpeg->err = failure_manager(&decoder->failure);
    if (setjmp(decoder->failure.way_out)) {
        cjpeg_decoder_free(decoder);
        return NULL;
    }
    jpeg_create_decompress(libjpeg);
    decoder->source = (struct jpeg_source_mgr){
        .init_source = begin_source,
        .fill_input_buffer = fill_source,
        .skip_input_data = skip_source,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = end_source,
    };
    libjpeg->src = &decoder->source;
    decoder->progress.progress_monitor = limit_scans;
    libjpeg->progress = &decoder->progress;
    /* Rows of all stages of a 4:2:0 picture, and tables: more than is used. */
    size_t size = ((size_t)width + 64) * 72 + 65536;
    if (!kept_memory_attach(&decoder->memory, (j_common_ptr)libjpeg, size)) {
        cjpeg_decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

void cjpeg_decoder_free(struct cjpeg_decoder *decoder) {
    jpeg_destroy_decompress(&decoder->libjpeg);
    kept_memory_free(&decoder->memory);
    free(decoder);
}

/* The tables of the picture before, which is not to be seen in this one. */
static void forget_tables(struct jpeg_decompress_struct *libjpeg) {
    for (int table = 0; table < NUM_QUANT_TBLS; table++)
        libjpeg->quant_tbl_ptrs[table] = NULL;
    for (int table = 0; table < NUM_HUFF_TBLS; table++) {
        libjpeg->dc_huff_tbl_ptrs[table] = NULL;
        libjpeg->ac_huff_tbl_ptrs[table] = NULL;
    }
}

const char *cjpeg_decode(struct cjpeg_decoder *decoder,
                         const unsigned char *bytes, size_t count, int file,
                         unsigned denominator, unsigned width, unsigned height,
                         unsigned char *out) {
    struct jpeg_decompress_struct *libjpeg = &decoder->libjpeg;
    if (setjmp(decoder->failure.way_out)) {
        int code = libjpeg->err->msg_code;
        jpeg_abort_decompress(libjpeg);
        errno = code == JERR_OUT_OF_MEMORY ? ENOMEM : 0;
        return decoder->failure.text;
    }
    forget_tables(libjpeg);
    decoder->source.next_input_byte = bytes;
    decoder->source.bytes_in_buffer = count;
    decoder->file = file;
    jpeg_read_header(libjpeg, TRUE);
    libjpeg->scale_num = 1;
    libjpeg->scale_denom = denominator;
    libjpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(libjpeg);
    if (libjpeg->output_width != width || libjpeg->output_height != height ||
        libjpeg->output_components != 3)
        failure_raise((j_common_ptr)libjpeg, "The JPEG has two sizes");
    while (libjpeg->output_scanline < height) {
        JSAMPROW row = out + (size_t)libjpeg->output_scanline * width * 3;
        jpeg_read_scanlines(libjpeg, &row, 1);
    }
    /* Reads on to the end marker. */
    jpeg_finish_decompress(libjpeg);
    return NULL;
}
