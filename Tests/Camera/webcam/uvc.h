/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UVC_H
#define UVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The control side of a USB webcam, "USB Device Class Definition for Video
 * Devices" 1.0: descriptors, negotiation of a format, two controls. It sends
 * its pictures over one bulk endpoint, in one size.
 */

/* In the order of the descriptors. */
enum uvc_format { UVC_MJPEG, UVC_YUYV, UVC_YV12, UVC_FORMATS };

enum {
    UVC_ENDPOINT = 1,            /* the pictures', to the host */
    UVC_PAYLOAD = 16384,         /* bytes of a transfer, its header included */
    UVC_PAYLOAD_HEADER = 2,
};

struct uvc_camera {
    /* Set these, then call uvc_start. */
    uint16_t vendor, product;
    const char *serial;
    unsigned width, height;
    unsigned rate;               /* pictures per second, at most */
    bool formats[UVC_FORMATS];   /* which of enum uvc_format it has */

    /* What the host set. */
    uint32_t interval;           /* between pictures, in 100 ns */
    uint8_t format_index;        /* from 1, in the order of the descriptors */
    uint16_t brightness;
    uint8_t power_line;

    uint8_t descriptors[512];    /* of the configuration */
    size_t descriptors_length;
};

/* Writes the descriptors, and takes the first format. */
void uvc_start(struct uvc_camera *camera);

/* The format that the host chose. */
enum uvc_format uvc_format(const struct uvc_camera *camera);

/* What the host may do on endpoint 0, as far as the pictures are concerned. */
enum uvc_effect { UVC_NOTHING, UVC_RESTART };

/*
 * Answers a control transfer into reply, which has room for 512 bytes. Returns
 * how many bytes there are, or -1 to refuse (to "stall"). data are the bytes
 * that the host sent.
 */
int uvc_control(struct uvc_camera *camera, const uint8_t setup[8],
                const uint8_t *data, uint8_t *reply, enum uvc_effect *effect);

#endif
