/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG through the libjpeg API of libjpeg-turbo, which reports
 * errors by longjmp: Swift must not see that, so whole pictures go in and out.
 *
 * Coders are kept and used again and again. libjpeg frees all its memory after
 * each picture; here it works in a block that stays, so that a stream of
 * pictures of one kind is coded without a single allocation.
 */
#ifndef OCELLUS_CJPEG_H
#define OCELLUS_CJPEG_H

#include <stddef.h>

/* One coder for one thread at a time. */
struct cjpeg_decoder;
struct cjpeg_encoder;

/*
 * A decoder with memory for pictures of the baseline kind up to a width;
 * wider ones are decoded too, but the first of them allocates.
 * NULL: no memory.
 */
struct cjpeg_decoder *cjpeg_decoder_new(unsigned width);
void cjpeg_decoder_free(struct cjpeg_decoder *decoder);

/*
 * Decodes to red, green, blue bytes at 1/denominator of the size: accurate
 * integer DCT, smooth chroma, as most programs do. Missing Huffman tables are
 * the standard's, as in Motion JPEG. Garbage behind the end marker is ignored;
 * whatever else is wrong with the picture, a missing end included, fails it.
 *
 * file: a descriptor from which the picture goes on behind the bytes, read
 * piece by piece; -1: nothing follows.
 * width, height: the expected size after scaling, of which out has room for
 * width * height * 3 bytes. Returns NULL, or the reason of the failure, which
 * is valid until the next call; errno is then ENOMEM for want of memory, else 0.
 */
const char *cjpeg_decode(struct cjpeg_decoder *decoder,
                         const unsigned char *bytes, size_t count, int file,
                         unsigned denominator, unsigned width, unsigned height,
                         unsigned char *out);

/* An encoder with memory for pictures up to a width; NULL: no memory. */
struct cjpeg_encoder *cjpeg_encoder_new(unsigned width);
void cjpeg_encoder_free(struct cjpeg_encoder *encoder);

/*
 * Begins a picture of red, green, blue bytes, chroma at half size, which will
 * lie in out. The rows follow, from the top, then the end. Each returns NULL,
 * or the reason of the failure, after which a new picture may begin.
 */
const char *cjpeg_encode_begin(struct cjpeg_encoder *encoder, unsigned width,
                               unsigned height, int quality,
                               unsigned char *out, size_t capacity);
const char *cjpeg_encode_row(struct cjpeg_encoder *encoder,
                             const unsigned char *row);
const char *cjpeg_encode_end(struct cjpeg_encoder *encoder, size_t *count);

#endif
