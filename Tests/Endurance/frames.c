/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes Y4M frames to standard output, as fast as they are taken: a plain
 * picture with a little noise, and every so often another one with a square.
 *
 *   usage: frames COUNT SIZE CHANGE-EVERY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    long count = atol(argv[1]);
    int size = atoi(argv[2]), every = atoi(argv[3]);
    if (count < 1 || size < 16 || size > 4096 || size % 2 || every < 1)
        return 64;
    size_t luma = (size_t)size * size, bytes = luma * 3 / 2;
    unsigned char *picture = malloc(bytes);
    if (picture == NULL) return 71;
    unsigned random = 1;
    printf("YUV4MPEG2 W%d H%d F25:1 C420jpeg\n", size, size);
    for (long frame = 0; frame < count; frame++) {
        long scene = frame / every;
        if (frame % every == 0) {
            memset(picture, 60 + (int)(scene * 37 % 120), luma);
            memset(picture + luma, 100 + (int)(scene * 17 % 56), bytes - luma);
            int side = size / 3, left = (int)(scene * 13 % (size - side));
            for (int row = 0; row < side; row++)
                memset(picture + (size_t)(row + left) * size + left, 220,
                       (size_t)side);
        }
        /* One pixel of sensor noise: the frame is never quite the same. */
        random = random * 1103515245u + 12345u;
        picture[random % luma] ^= 1;
        fputs("FRAME\n", stdout);
        if (fwrite(picture, 1, bytes, stdout) != bytes) return 0;
    }
    return fflush(stdout) == 0 ? 0 : 74;
}
