/* SPDX-License-Identifier: Apache-2.0 */
#include "uvc.h"

#include <linux/usb/ch9.h>
#include <linux/usb/video.h>
#include <string.h>

enum {
    CONTROL_INTERFACE = 0,
    STREAMING_INTERFACE = 1,
    /* The camera as a chain of entities: sensor, processing, USB. */
    CAMERA_TERMINAL = 1,
    PROCESSING_UNIT = 2,
    OUTPUT_TERMINAL = 3,
    PROBE_LENGTH = 26, /* of UVC 1.0 */
    MAXIMUM_BRIGHTNESS = 255,
    MAXIMUM_POWER_LINE = 2, /* off, 50 Hz, 60 Hz */
};

/* Section 2.9 of "Uncompressed Payload" 1.0: a format's name, and this. */
static const uint8_t guid_tail[12] = { 0,    0, 0x10, 0,    0x80, 0,
                                       0, 0xaa, 0,    0x38, 0x9b, 0x71 };

/* An MJPEG picture is smaller. */
static const unsigned bits_per_pixel[UVC_FORMATS] = { 16, 16, 12 };
static const char *const names[UVC_FORMATS] = { "MJPG", "YUY2", "YV12" };

/* Appends little-endian numbers to the descriptors. */
static void put1(struct uvc_camera *camera, unsigned value)
{
    camera->descriptors[camera->descriptors_length++] = (uint8_t)value;
}

static void put2(struct uvc_camera *camera, unsigned value)
{
    put1(camera, value & 0xff);
    put1(camera, value >> 8 & 0xff);
}

static void put4(struct uvc_camera *camera, uint32_t value)
{
    put2(camera, value & 0xffff);
    put2(camera, value >> 16);
}

static void put_bytes(struct uvc_camera *camera, const void *bytes, size_t n)
{
    memcpy(camera->descriptors + camera->descriptors_length, bytes, n);
    camera->descriptors_length += n;
}

/* Writes the length of everything from `begin` into the two bytes at `at`. */
static void close_block(struct uvc_camera *camera, size_t begin, size_t at)
{
    size_t length = camera->descriptors_length - begin;
    camera->descriptors[at] = length & 0xff;
    camera->descriptors[at + 1] = length >> 8 & 0xff;
}

static void put_interface(struct uvc_camera *camera, unsigned number,
                          unsigned endpoints, unsigned subclass)
{
    put1(camera, USB_DT_INTERFACE_SIZE);
    put1(camera, USB_DT_INTERFACE);
    put1(camera, number);
    put1(camera, 0); /* alternate setting */
    put1(camera, endpoints);
    put1(camera, USB_CLASS_VIDEO);
    put1(camera, subclass);
    put1(camera, UVC_PC_PROTOCOL_UNDEFINED);
    put1(camera, 0); /* no name */
}

/* UVC 1.0, section 3.7: the entities and what they can do. */
static void put_control_interface(struct uvc_camera *camera)
{
    put_interface(camera, CONTROL_INTERFACE, 0, UVC_SC_VIDEOCONTROL);
    size_t begin = camera->descriptors_length;
    put1(camera, 13);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VC_HEADER);
    put2(camera, 0x0100); /* UVC 1.0 */
    put2(camera, 0);      /* the length of this block, see below */
    put4(camera, 48000000);
    put1(camera, 1); /* one streaming interface: */
    put1(camera, STREAMING_INTERFACE);

    put1(camera, 18);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VC_INPUT_TERMINAL);
    put1(camera, CAMERA_TERMINAL);
    put2(camera, UVC_ITT_CAMERA);
    put1(camera, 0); /* no terminal belongs to it */
    put1(camera, 0);
    put2(camera, 0); /* no zoom lens: three focal lengths */
    put2(camera, 0);
    put2(camera, 0);
    put1(camera, 3); /* bytes of its controls: none */
    put2(camera, 0);
    put1(camera, 0);

    put1(camera, 11);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VC_PROCESSING_UNIT);
    put1(camera, PROCESSING_UNIT);
    put1(camera, CAMERA_TERMINAL); /* its source */
    put2(camera, 0);
    put1(camera, 2); /* bytes of its controls: */
    put2(camera, 1 << 0 | 1 << 10); /* brightness, power-line frequency */
    put1(camera, 0);

    put1(camera, 9);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VC_OUTPUT_TERMINAL);
    put1(camera, OUTPUT_TERMINAL);
    put2(camera, UVC_TT_STREAMING);
    put1(camera, 0);
    put1(camera, PROCESSING_UNIT); /* its source */
    put1(camera, 0);
    close_block(camera, begin, begin + 5);
}

/* Section 3.9.2.5: one size, three rates. And 3.9.2.6: BT.601 colours. */
static void put_size(struct uvc_camera *camera, enum uvc_format format,
                     unsigned subtype)
{
    uint32_t interval = 10000000 / camera->rate;
    uint32_t bits = camera->width * camera->height * bits_per_pixel[format];
    put1(camera, 26 + 3 * 4);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, subtype);
    put1(camera, 1); /* the first size of this format */
    put1(camera, 0);
    put2(camera, camera->width);
    put2(camera, camera->height);
    put4(camera, bits);
    put4(camera, bits * camera->rate);
    put4(camera, bits / 8);
    put4(camera, interval); /* the standard one, and the three: */
    put1(camera, 3);
    put4(camera, interval);
    put4(camera, 2 * interval);
    put4(camera, 10 * interval);

    put1(camera, 6);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VS_COLORFORMAT);
    put1(camera, 1); /* primaries of BT.709 and sRGB */
    put1(camera, 1); /* transfer of BT.709 */
    put1(camera, 4); /* matrix of SMPTE 170M, which is BT.601's */
}

static void put_format(struct uvc_camera *camera, enum uvc_format format,
                       unsigned index)
{
    bool samples = format != UVC_MJPEG;
    put1(camera, samples ? 27 : 11);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, samples ? UVC_VS_FORMAT_UNCOMPRESSED : UVC_VS_FORMAT_MJPEG);
    put1(camera, index);
    put1(camera, 1); /* one size */
    if (samples) {
        put_bytes(camera, names[format], 4);
        put_bytes(camera, guid_tail, sizeof guid_tail);
        put1(camera, bits_per_pixel[format]);
    } else {
        put1(camera, 1); /* all pictures have the same size */
    }
    put1(camera, 1); /* the standard size */
    put4(camera, 0); /* no aspect ratio, no interlacing, no protection */
    put_size(camera, format,
             samples ? UVC_VS_FRAME_UNCOMPRESSED : UVC_VS_FRAME_MJPEG);
}

static unsigned format_count(const struct uvc_camera *camera)
{
    unsigned count = 0;
    for (int format = 0; format < UVC_FORMATS; format++)
        count += camera->formats[format];
    return count;
}

/* Section 3.9: the formats, and the endpoint that carries them. */
static void put_streaming_interface(struct uvc_camera *camera)
{
    unsigned count = format_count(camera);
    put_interface(camera, STREAMING_INTERFACE, 1, UVC_SC_VIDEOSTREAMING);
    size_t begin = camera->descriptors_length;
    put1(camera, 13 + count);
    put1(camera, USB_DT_CS_INTERFACE);
    put1(camera, UVC_VS_INPUT_HEADER);
    put1(camera, count);
    put2(camera, 0); /* the length of this block, see below */
    put1(camera, USB_DIR_IN | UVC_ENDPOINT);
    put1(camera, 0);
    put1(camera, OUTPUT_TERMINAL);
    put1(camera, 0); /* no stills, no trigger */
    put1(camera, 0);
    put1(camera, 0);
    put1(camera, 1); /* bytes of controls per format: none set */
    for (unsigned index = 0; index < count; index++)
        put1(camera, 0);
    unsigned index = 0;
    for (int format = 0; format < UVC_FORMATS; format++)
        if (camera->formats[format])
            put_format(camera, format, ++index);
    close_block(camera, begin, begin + 4);

    put1(camera, USB_DT_ENDPOINT_SIZE);
    put1(camera, USB_DT_ENDPOINT);
    put1(camera, USB_DIR_IN | UVC_ENDPOINT);
    put1(camera, USB_ENDPOINT_XFER_BULK);
    put2(camera, 512);
    put1(camera, 0);
}

void uvc_start(struct uvc_camera *camera)
{
    camera->descriptors_length = 0;
    put1(camera, USB_DT_CONFIG_SIZE);
    put1(camera, USB_DT_CONFIG);
    put2(camera, 0); /* the length of everything, see below */
    put1(camera, 2); /* interfaces */
    put1(camera, 1); /* number of this configuration */
    put1(camera, 0);
    put1(camera, USB_CONFIG_ATT_ONE);
    put1(camera, 250); /* 500 mA */

    put1(camera, USB_DT_INTERFACE_ASSOCIATION_SIZE);
    put1(camera, USB_DT_INTERFACE_ASSOCIATION);
    put1(camera, CONTROL_INTERFACE);
    put1(camera, 2); /* two interfaces, one camera */
    put1(camera, USB_CLASS_VIDEO);
    put1(camera, UVC_SC_VIDEO_INTERFACE_COLLECTION);
    put1(camera, UVC_PC_PROTOCOL_UNDEFINED);
    put1(camera, 0);

    put_control_interface(camera);
    put_streaming_interface(camera);
    close_block(camera, 0, 2);

    camera->interval = 10000000 / camera->rate;
    camera->format_index = 1;
    camera->brightness = MAXIMUM_BRIGHTNESS / 2;
    camera->power_line = 1;
}

enum uvc_format uvc_format(const struct uvc_camera *camera)
{
    unsigned index = 0;
    for (int format = 0; format < UVC_FORMATS; format++)
        if (camera->formats[format] && ++index == camera->format_index)
            return format;
    return UVC_MJPEG; /* not reached: the index is that of a format */
}

static int device_descriptor(const struct uvc_camera *camera, uint8_t *reply)
{
    const uint8_t descriptor[USB_DT_DEVICE_SIZE] = {
        USB_DT_DEVICE_SIZE, USB_DT_DEVICE, 0x00, 0x02, /* USB 2.0 */
        USB_CLASS_MISC, 2, 1, 64,
        camera->vendor & 0xff, camera->vendor >> 8,
        camera->product & 0xff, camera->product >> 8,
        0x00, 0x01, /* version 1.0 of this camera */
        1, 2, 3,    /* texts: maker, name, serial number */
        1,          /* configurations */
    };
    memcpy(reply, descriptor, sizeof descriptor);
    return sizeof descriptor;
}

static int text_descriptor(const struct uvc_camera *camera, unsigned index,
                           uint8_t *reply)
{
    const char *texts[] = { "", "Ocellus", "Emulated webcam", camera->serial };
    if (index >= sizeof texts / sizeof *texts)
        return -1;
    reply[1] = USB_DT_STRING;
    reply[0] = 2;
    if (index == 0) { /* the languages: English */
        reply[reply[0]++] = 0x09;
        reply[reply[0]++] = 0x04;
    }
    for (const char *text = texts[index]; *text && reply[0] < 250; text++) {
        reply[reply[0]++] = (uint8_t)*text;
        reply[reply[0]++] = 0;
    }
    return reply[0];
}

static int standard_request(struct uvc_camera *camera, const uint8_t *setup,
                            uint8_t *reply, enum uvc_effect *effect)
{
    switch (setup[1]) {
    case USB_REQ_GET_DESCRIPTOR:
        if (setup[3] == USB_DT_DEVICE)
            return device_descriptor(camera, reply);
        if (setup[3] == USB_DT_STRING)
            return text_descriptor(camera, setup[2], reply);
        if (setup[3] != USB_DT_CONFIG)
            return -1;
        memcpy(reply, camera->descriptors, camera->descriptors_length);
        return (int)camera->descriptors_length;
    case USB_REQ_GET_STATUS:
        return 2;
    case USB_REQ_GET_CONFIGURATION:
        reply[0] = 1;
        return 1;
    case USB_REQ_GET_INTERFACE:
        return 1;
    case USB_REQ_CLEAR_FEATURE: /* ends a stream over a bulk endpoint */
        *effect = UVC_RESTART;
        return 0;
    case USB_REQ_SET_FEATURE:
    case USB_REQ_SET_CONFIGURATION:
    case USB_REQ_SET_INTERFACE:
        return 0;
    default:
        return -1;
    }
}

static uint32_t get4(const uint8_t *bytes)
{
    return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void set4(uint8_t *bytes, uint32_t value)
{
    for (int index = 0; index < 4; index++)
        bytes[index] = value >> (8 * index) & 0xff;
}

/* Section 4.3.1.1: the host proposes, we say what it gets, it commits. */
static int negotiate(struct uvc_camera *camera, const uint8_t *setup,
                     const uint8_t *data, uint8_t *reply,
                     enum uvc_effect *effect)
{
    unsigned count = format_count(camera);
    uint32_t fastest = 10000000 / camera->rate;
    switch (setup[1]) {
    case UVC_SET_CUR:
        camera->format_index = data[2] >= 1 && data[2] <= count ? data[2] : 1;
        camera->interval = get4(data + 4);
        if (camera->interval != 2 * fastest && camera->interval != 10 * fastest)
            camera->interval = fastest;
        if (setup[3] == UVC_VS_COMMIT_CONTROL)
            *effect = UVC_RESTART;
        return 0;
    case UVC_GET_LEN:
        reply[0] = PROBE_LENGTH;
        return 2;
    case UVC_GET_INFO:
        reply[0] = 3; /* may be read and set */
        return 1;
    case UVC_GET_CUR:
    case UVC_GET_MIN:
    case UVC_GET_MAX:
    case UVC_GET_DEF:
        reply[0] = 1; /* keep the interval rather than the quality */
        reply[2] = camera->format_index;
        reply[3] = 1; /* the one size */
        set4(reply + 4, camera->interval);
        set4(reply + 18, camera->width * camera->height / 8 *
                             bits_per_pixel[uvc_format(camera)]);
        set4(reply + 22, UVC_PAYLOAD);
        return PROBE_LENGTH;
    default:
        return -1;
    }
}

/* Section 4.2.2.3: a control of the processing unit. */
static int processing_control(struct uvc_camera *camera, const uint8_t *setup,
                              const uint8_t *data, uint8_t *reply)
{
    bool brightness = setup[3] == UVC_PU_BRIGHTNESS_CONTROL;
    if (!brightness && setup[3] != UVC_PU_POWER_LINE_FREQUENCY_CONTROL)
        return -1;
    int length = brightness ? 2 : 1;
    switch (setup[1]) {
    case UVC_SET_CUR:
        if (brightness)
            camera->brightness = (uint16_t)(data[0] | data[1] << 8);
        else
            camera->power_line = data[0];
        return 0;
    case UVC_GET_CUR:
        reply[0] = brightness ? camera->brightness & 0xff : camera->power_line;
        return length;
    case UVC_GET_MIN:
        return length;
    case UVC_GET_MAX:
        reply[0] = brightness ? MAXIMUM_BRIGHTNESS : MAXIMUM_POWER_LINE;
        return length;
    case UVC_GET_DEF:
        reply[0] = brightness ? MAXIMUM_BRIGHTNESS / 2 : 1;
        return length;
    case UVC_GET_RES:
        reply[0] = 1;
        return length;
    case UVC_GET_LEN:
        reply[0] = (uint8_t)length;
        return 2;
    case UVC_GET_INFO:
        reply[0] = 3;
        return 1;
    default:
        return -1;
    }
}

int uvc_control(struct uvc_camera *camera, const uint8_t setup[8],
                const uint8_t *data, uint8_t *reply, enum uvc_effect *effect)
{
    /* setup: type, request, value (2), index (2), length (2) */
    *effect = UVC_NOTHING;
    memset(reply, 0, 512);
    int length = -1;
    if ((setup[0] & USB_TYPE_MASK) == USB_TYPE_STANDARD)
        length = standard_request(camera, setup, reply, effect);
    else if (setup[4] == STREAMING_INTERFACE &&
             (setup[3] == UVC_VS_PROBE_CONTROL ||
              setup[3] == UVC_VS_COMMIT_CONTROL))
        length = negotiate(camera, setup, data, reply, effect);
    else if (setup[4] == CONTROL_INTERFACE && setup[5] == PROCESSING_UNIT)
        length = processing_control(camera, setup, data, reply);
    int room = setup[6] | setup[7] << 8;
    return length < room ? length : room;
}
