/* SPDX-License-Identifier: Apache-2.0 */
/* libjpeg's errors as texts, and the way back out of it. */
#ifndef OCELLUS_CJPEG_FAILURE_H
#define OCELLUS_CJPEG_FAILURE_H

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
/* libjpeg's header needs stdio's types before it. */
#include <jpeglib.h>

struct failure {
    struct jpeg_error_mgr libjpeg; /* first, so that libjpeg's is also ours */
    jmp_buf way_out;
    char text[JMSG_LENGTH_MAX];
};

/*
 * Makes errors and warnings jump to way_out, with their text; except filler
 * between segments, which is harmless and which some cameras leave.
 */
struct jpeg_error_mgr *failure_manager(struct failure *failure);

/* Fails with a text of our own. */
_Noreturn void failure_raise(j_common_ptr object, const char *text);

#endif
