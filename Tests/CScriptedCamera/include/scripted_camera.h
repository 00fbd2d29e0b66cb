/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A camera of V4L2 that does what a test says, behind the table of system
 * calls. Its descriptor is an eventfd, so waiting for it is real.
 */
#ifndef SCRIPTED_CAMERA_H
#define SCRIPTED_CAMERA_H

#include <stddef.h>
#include <stdint.h>

#include "cv4l2.h"

struct scripted_camera;

/* The calls of a script by name, for failures and counts. */
enum scripted_call {
    SCRIPTED_OPEN,
    SCRIPTED_QUERYCAP,
    SCRIPTED_S_FMT,
    SCRIPTED_S_CTRL,
    SCRIPTED_REQBUFS,
    SCRIPTED_QUERYBUF,
    SCRIPTED_MAP,
    SCRIPTED_QBUF,
    SCRIPTED_DQBUF,
    SCRIPTED_STREAMON,
    SCRIPTED_POLL,
    SCRIPTED_CALL_COUNT
};

struct scripted_camera *scripted_camera_new(void);
const struct cv4l2_calls *
scripted_camera_calls(const struct scripted_camera *camera);

/* What the device is; at first a USB camera with pictures. */
void scripted_camera_set_capabilities(struct scripted_camera *camera,
                                      uint32_t capabilities);
/* A format with one size and one rate; repeat it for more of them. */
void scripted_camera_add_format(struct scripted_camera *camera,
                                const char fourcc[4], uint32_t width,
                                uint32_t height, uint32_t rate);
/* The formats that are added from here on are made by libv4l2. */
void scripted_camera_emulate(struct scripted_camera *camera);
/* Whatever is asked for, the driver answers with its first format. */
void scripted_camera_substitute(struct scripted_camera *camera);
/* The bytes from row to row that the driver answers; 0: as few as possible. */
void scripted_camera_set_stride(struct scripted_camera *camera, uint32_t bytes);
/* colorspace, ycbcr_enc and quantization of the answer. */
void scripted_camera_set_colors(struct scripted_camera *camera,
                                uint32_t colorspace, uint32_t encoding,
                                uint32_t quantization);
void scripted_camera_add_control(struct scripted_camera *camera, uint32_t id,
                                 const char *name, int32_t minimum,
                                 int32_t maximum, int32_t value);
int32_t scripted_camera_control(const struct scripted_camera *camera,
                                uint32_t id);

/* Its input has no signal, as that of a converter without a source. */
void scripted_camera_lose_signal(struct scripted_camera *camera);

/* The next so many of these calls fail. */
void scripted_camera_fail(struct scripted_camera *camera,
                          enum scripted_call call, int error, int times);
/* How many of these calls were made. */
int scripted_camera_count(const struct scripted_camera *camera,
                          enum scripted_call call);

/* A picture that the driver has filled, in the next buffer that is queued. */
struct scripted_picture {
    const void *bytes; /* copied into the buffer; NULL: `fill` in all bytes */
    uint8_t fill;
    uint32_t byte_count; /* what the driver says */
    uint32_t sequence;
    uint32_t flags; /* V4L2_BUF_FLAG_... */
    int64_t nanoseconds;
    int32_t index; /* -1: as it is */
};
void scripted_camera_push(struct scripted_camera *camera,
                          const struct scripted_picture *picture);
/* The device can be read and has nothing, for so many waits. */
void scripted_camera_wake(struct scripted_camera *camera, int times);
/* Every call but close fails with ENODEV, until it is plugged in again. */
void scripted_camera_unplug(struct scripted_camera *camera);
void scripted_camera_plug(struct scripted_camera *camera);

#endif
