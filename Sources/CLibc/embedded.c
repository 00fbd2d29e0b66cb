/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the embedded standard library wants from a platform beyond libc. In a
 * hosted build libswiftCore has these, and this file is empty;
 * OCELLUS_EMBEDDED comes from the Swift SDK's toolset.
 */
#if OCELLUS_EMBEDDED
#include "clibc.h"
#include <sys/random.h>

/* Float(String) and Double(String). Nothing calls setlocale, so the C locale
 * is in force. */
const char *_swift_stdlib_strtof_clocale(const char *text, float *value) {
    char *end;
    *value = strtof(text, &end);
    return end;
}

const char *_swift_stdlib_strtod_clocale(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end;
}

/* The seed of Hasher. glibc has arc4random_buf only from 2.36; boards with
 * Debian 11 or Ubuntu 22.04 have less. */
void arc4random_buf(void *buffer, size_t count) {
    unsigned char *next = buffer;
    while (count > 0) {
        ssize_t got = getrandom(next, count > 256 ? 256 : count, 0);
        if (got < 0 && errno != EINTR) abort();
        if (got > 0) {
            next += got;
            count -= (size_t)got;
        }
    }
}
#endif
