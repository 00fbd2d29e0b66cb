/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

#include <string.h>

#include <jerror.h>

static _Noreturn void leave(j_common_ptr object) {
    struct failure *failure = (struct failure *)object->err;
    failure->libjpeg.format_message(object, failure->text);
    longjmp(failure->way_out, 1);
}

static void hear(j_common_ptr object, int level) {
    /* Levels from 0 trace what is right. */
    if (level >= 0 || object->err->msg_code == JWRN_EXTRANEOUS_DATA) return;
    leave(object);
}

struct jpeg_error_mgr *failure_manager(struct failure *failure) {
    struct jpeg_error_mgr *manager = jpeg_std_error(&failure->libjpeg);
    manager->error_exit = leave;
    manager->emit_message = hear;
    return manager;
}

_Noreturn void failure_raise(j_common_ptr object, const char *text) {
    struct failure *failure = (struct failure *)object->err;
    strncpy(failure->text, text, sizeof failure->text - 1);
    failure->text[sizeof failure->text - 1] = 0;
    failure->libjpeg.msg_code = 0;
    longjmp(failure->way_out, 1);
}
