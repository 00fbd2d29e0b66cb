/* SPDX-License-Identifier: Apache-2.0 */
/*
 * V4L2 without its unions: one function per ioctl, flat structures, single-
 * and multiplanar alike.
 *
 * Every function returns 0, or an errno value as a negative number; a call
 * that a signal interrupted is made again. All system calls go through a
 * table, so that a camera may be the kernel's, libv4l2's or a test's.
 * Texts of a driver end with a zero, whatever the driver wrote.
 */
#ifndef OCELLUS_CV4L2_H
#define OCELLUS_CV4L2_H

#include <stddef.h>
#include <stdint.h>

/* Tells Swift's compiler what it cannot see: no allocation, no lock. */
#define CV4L2_REALTIME                                                         \
    __attribute__((swift_attr("@_noAllocation"), swift_attr("@_noLocks")))

struct pollfd;

/* System calls as libc has them: -1 and errno. */
struct cv4l2_calls {
    void *context; /* handed to each function */
    int (*open)(void *context, const char *path);
    int (*close)(void *context, int fd);
    int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
    void *(*map)(void *context, int fd, size_t length, int64_t offset);
    int (*unmap)(void *context, void *start, size_t length);
    int (*poll)(void *context, struct pollfd *entries, int count,
                int milliseconds);
};

/* The kernel. */
__attribute__((returns_nonnull)) const struct cv4l2_calls *
cv4l2_kernel_calls(void);

/* libv4l2, which turns the formats of odd cameras into RGB24; NULL where it
 * is not installed. Loaded by the first call, for the rest of the process. */
const struct cv4l2_calls *cv4l2_library_calls(void);

enum { CV4L2_MAX_PLANES = 3, CV4L2_MAX_BUFFERS = 8 };

/* What a device is (VIDIOC_QUERYCAP). */
struct cv4l2_device {
    char driver[17];
    char card[33];
    char bus[33];
    uint8_t captures_video;
    uint8_t is_multiplanar;
    uint8_t streams;
    uint8_t is_metadata; /* of a camera; no pictures */
};

/* A pixel format that a device has (VIDIOC_ENUM_FMT). */
struct cv4l2_format_entry {
    uint32_t fourcc;
    uint8_t is_compressed;
    uint8_t is_emulated; /* made by libv4l2 */
    char description[33];
};

/* Sizes in pixels (VIDIOC_ENUM_FRAMESIZES): one if the maximum is the
 * minimum, else all between them at the steps. */
struct cv4l2_size_entry {
    uint32_t min_width, min_height, max_width, max_height;
    uint32_t step_width, step_height;
    uint8_t is_discrete;
};

/* Seconds per frame (VIDIOC_ENUM_FRAMEINTERVALS): one if the longest is the
 * shortest, else all between them. */
struct cv4l2_interval_entry {
    uint32_t shortest_numerator, shortest_denominator;
    uint32_t longest_numerator, longest_denominator;
    uint8_t is_discrete;
};

enum cv4l2_matrix { CV4L2_BT601, CV4L2_BT709, CV4L2_BT2020 };

/* A picture's layout (VIDIOC_S_FMT): the wish, then the driver's answer. */
struct cv4l2_picture {
    uint32_t width, height, fourcc;
    uint8_t is_single_field; /* every other row only, or first the even ones */
    uint8_t is_full_range;
    uint8_t matrix; /* enum cv4l2_matrix */
    uint8_t plane_count;
    uint32_t row_stride[CV4L2_MAX_PLANES]; /* bytes; 0 if compressed */
    uint32_t byte_count[CV4L2_MAX_PLANES];
};

enum cv4l2_control_kind {
    CV4L2_INTEGER,
    CV4L2_BOOLEAN,
    CV4L2_MENU,
    CV4L2_BUTTON,
    CV4L2_OTHER
};

/* Something that can be adjusted (VIDIOC_QUERYCTRL). */
struct cv4l2_control {
    uint32_t id;
    uint8_t kind; /* enum cv4l2_control_kind */
    uint8_t is_read_only;
    uint8_t is_inactive; /* as long as another control is as it is */
    uint8_t is_integer_menu;
    int32_t minimum, maximum, step, fallback;
    char name[33];
};

/* The name of a menu's item. */
struct cv4l2_text {
    char characters[33];
};

/* A buffer that the driver filled (VIDIOC_DQBUF). */
struct cv4l2_filled {
    uint32_t index;
    uint32_t sequence;
    uint8_t is_flagged;   /* the driver says that the data may be bad */
    uint8_t is_monotonic; /* the time is CLOCK_MONOTONIC */
    int64_t nanoseconds;
    uint32_t offset[CV4L2_MAX_PLANES];     /* of the data in the plane */
    uint32_t byte_count[CV4L2_MAX_PLANES]; /* without the offset */
};

/* A mapped plane of a buffer (VIDIOC_QUERYBUF and mmap). */
struct cv4l2_plane {
    void *start;
    size_t byte_count;
};

/* An open device. */
struct cv4l2_camera {
    const struct cv4l2_calls *calls;
    int fd;
    uint8_t is_multiplanar;
    uint8_t plane_count; /* set by cv4l2_set_picture */
};

/* Whether a path, or what it links to, is a device of V4L2. */
int cv4l2_is_video_node(const char *path);

int cv4l2_open(struct cv4l2_camera *camera, const struct cv4l2_calls *calls,
               const char *path);
void cv4l2_close(struct cv4l2_camera *camera);

/* Also notes in `camera` whether it is multiplanar. */
int cv4l2_identify(struct cv4l2_camera *camera, struct cv4l2_device *device);

/* Lists; -EINVAL behind the last entry. */
int cv4l2_format_at(const struct cv4l2_camera *camera, uint32_t index,
                    struct cv4l2_format_entry *entry);
int cv4l2_size_at(const struct cv4l2_camera *camera, uint32_t fourcc,
                  uint32_t index, struct cv4l2_size_entry *entry);
int cv4l2_interval_at(const struct cv4l2_camera *camera, uint32_t fourcc,
                      uint32_t width, uint32_t height, uint32_t index,
                      struct cv4l2_interval_entry *entry);
/* The first control behind `id`. */
int cv4l2_control_after(const struct cv4l2_camera *camera, uint32_t id,
                        struct cv4l2_control *control);
int cv4l2_menu_item(const struct cv4l2_camera *camera,
                    const struct cv4l2_control *control, uint32_t index,
                    struct cv4l2_text *text);

int cv4l2_get_control(const struct cv4l2_camera *camera, uint32_t id,
                      int32_t *value);
int cv4l2_set_control(const struct cv4l2_camera *camera, uint32_t id,
                      int32_t value);

/* Whether the input has a signal: 1, 0, or an error. */
int cv4l2_has_signal(const struct cv4l2_camera *camera);

int cv4l2_set_picture(struct cv4l2_camera *camera,
                      struct cv4l2_picture *picture);
/* Seconds per frame (VIDIOC_S_PARM): the wish, then the driver's answer. */
int cv4l2_set_interval(const struct cv4l2_camera *camera, uint32_t *numerator,
                       uint32_t *denominator);

/* The wished count of buffers (0 frees them), then how many there are. */
int cv4l2_request_buffers(const struct cv4l2_camera *camera, uint32_t *count);
int cv4l2_map_buffer(const struct cv4l2_camera *camera, uint32_t index,
                     struct cv4l2_plane planes[CV4L2_MAX_PLANES]);
void cv4l2_unmap_buffer(const struct cv4l2_camera *camera,
                        struct cv4l2_plane planes[CV4L2_MAX_PLANES]);
int cv4l2_stream_on(const struct cv4l2_camera *camera);
int cv4l2_stream_off(const struct cv4l2_camera *camera);

CV4L2_REALTIME
int cv4l2_queue(const struct cv4l2_camera *camera, uint32_t index);
CV4L2_REALTIME
int cv4l2_dequeue(const struct cv4l2_camera *camera,
                  struct cv4l2_filled *filled);

/* What cv4l2_wait found. */
enum { CV4L2_FRAME = 1, CV4L2_STOP = 2, CV4L2_FAILURE = 4 };

/* Waits for a frame, or until `stop_fd` (-1: none) can be read; 0 after so
 * many milliseconds, CV4L2_FAILURE if the device reports an error or that it
 * is gone: the next dequeue says which. */
CV4L2_REALTIME
int cv4l2_wait(const struct cv4l2_camera *camera, int stop_fd,
               int milliseconds);
/* Waits so long, or until `stop_fd` can be read. */
CV4L2_REALTIME
void cv4l2_rest(const struct cv4l2_camera *camera, int stop_fd,
                int milliseconds);

#endif
