/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCELLUS_CV4L2_INTERNAL_H
#define OCELLUS_CV4L2_INTERNAL_H

#include "cv4l2.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <string.h>

/* An ioctl, again if a signal interrupted it: 0 or -errno. */
static inline int control_device(const struct cv4l2_camera *camera,
                                 unsigned long request, void *argument) {
    for (;;) {
        if (camera->calls->ioctl(camera->calls->context, camera->fd, request,
                                 argument) >= 0)
            return 0;
        if (errno != EINTR) return errno > 0 ? -errno : -EIO;
    }
}

static inline uint32_t buffer_type(const struct cv4l2_camera *camera) {
    return camera->is_multiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
                                  : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

/* Copies a driver's text; what is no printable ASCII becomes a question mark,
 * so that a device cannot write escape sequences to a terminal. */
static inline void copy_text(char *out, const uint8_t *text, size_t size) {
    size_t length = 0;
    while (length < size && text[length]) {
        out[length] = text[length] >= 0x20 && text[length] < 0x7f
                          ? (char)text[length]
                          : '?';
        length++;
    }
    out[length] = 0;
}

#endif
