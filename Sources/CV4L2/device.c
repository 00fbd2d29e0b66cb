/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a device, what it is and what it has. */
#include "internal.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The kernel's number for V4L2 (Documentation/admin-guide/devices.txt). */
enum { VIDEO_MAJOR = 81 };

int cv4l2_is_video_node(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISCHR(status.st_mode) &&
           major(status.st_rdev) == VIDEO_MAJOR;
}

int cv4l2_open(struct cv4l2_camera *camera, const struct cv4l2_calls *calls,
               const char *path) {
    *camera = (struct cv4l2_camera){.calls = calls, .plane_count = 1};
    do {
        camera->fd = calls->open(calls->context, path);
    } while (camera->fd < 0 && errno == EINTR);
    return camera->fd < 0 ? -errno : 0;
}

void cv4l2_close(struct cv4l2_camera *camera) {
    if (camera->fd >= 0) camera->calls->close(camera->calls->context, camera->fd);
    camera->fd = -1;
}

int cv4l2_identify(struct cv4l2_camera *camera, struct cv4l2_device *device) {
    struct v4l2_capability found = {0};
    int error = control_device(camera, VIDIOC_QUERYCAP, &found);
    if (error) return error;
    /* `capabilities` is of all nodes of the device together. */
    uint32_t caps = found.capabilities & V4L2_CAP_DEVICE_CAPS
                        ? found.device_caps
                        : found.capabilities;
    *device = (struct cv4l2_device){
        .captures_video = !!(caps & (V4L2_CAP_VIDEO_CAPTURE |
                                     V4L2_CAP_VIDEO_CAPTURE_MPLANE)),
        .is_multiplanar = !(caps & V4L2_CAP_VIDEO_CAPTURE) &&
                          caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE,
        .streams = !!(caps & V4L2_CAP_STREAMING),
        .is_metadata = !!(caps & V4L2_CAP_META_CAPTURE),
    };
    copy_text(device->driver, found.driver, sizeof(found.driver));
    copy_text(device->card, found.card, sizeof(found.card));
    copy_text(device->bus, found.bus_info, sizeof(found.bus_info));
    camera->is_multiplanar = device->is_multiplanar;
    return 0;
}

int cv4l2_format_at(const struct cv4l2_camera *camera, uint32_t index,
                    struct cv4l2_format_entry *entry) {
    struct v4l2_fmtdesc found = {.index = index, .type = buffer_type(camera)};
    int error = control_device(camera, VIDIOC_ENUM_FMT, &found);
    if (error) return error;
    *entry = (struct cv4l2_format_entry){
        .fourcc = found.pixelformat,
        .is_compressed = !!(found.flags & V4L2_FMT_FLAG_COMPRESSED),
        .is_emulated = !!(found.flags & V4L2_FMT_FLAG_EMULATED),
    };
    copy_text(entry->description, found.description, sizeof(found.description));
    return 0;
}

int cv4l2_size_at(const struct cv4l2_camera *camera, uint32_t fourcc,
                  uint32_t index, struct cv4l2_size_entry *entry) {
    struct v4l2_frmsizeenum found = {.index = index, .pixel_format = fourcc};
    int error = control_device(camera, VIDIOC_ENUM_FRAMESIZES, &found);
    if (error) return error;
    if (found.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
        *entry = (struct cv4l2_size_entry){
            .min_width = found.discrete.width,
            .max_width = found.discrete.width,
            .min_height = found.discrete.height,
            .max_height = found.discrete.height,
            .step_width = 1,
            .step_height = 1,
            .is_discrete = 1,
        };
        return 0;
    }
    *entry = (struct cv4l2_size_entry){
        .min_width = found.stepwise.min_width,
        .max_width = found.stepwise.max_width,
        .min_height = found.stepwise.min_height,
        .max_height = found.stepwise.max_height,
        .step_width = found.stepwise.step_width ? found.stepwise.step_width : 1,
        .step_height =
            found.stepwise.step_height ? found.stepwise.step_height : 1,
    };
    return 0;
}

int cv4l2_interval_at(const struct cv4l2_camera *camera, uint32_t fourcc,
                      uint32_t width, uint32_t height, uint32_t index,
                      struct cv4l2_interval_entry *entry) {
    struct v4l2_frmivalenum found = {
        .index = index,
        .pixel_format = fourcc,
        .width = width,
        .height = height,
    };
    int error = control_device(camera, VIDIOC_ENUM_FRAMEINTERVALS, &found);
    if (error) return error;
    struct v4l2_fract shortest = found.discrete, longest = found.discrete;
    if (found.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
        shortest = found.stepwise.min;
        longest = found.stepwise.max;
    }
    *entry = (struct cv4l2_interval_entry){
        .shortest_numerator = shortest.numerator,
        .shortest_denominator = shortest.denominator,
        .longest_numerator = longest.numerator,
        .longest_denominator = longest.denominator,
        .is_discrete = found.type == V4L2_FRMIVAL_TYPE_DISCRETE,
    };
    return 0;
}

int cv4l2_has_signal(const struct cv4l2_camera *camera) {
    int current = 0;
    int error = control_device(camera, VIDIOC_G_INPUT, &current);
    if (error) return error;
    struct v4l2_input input = {.index = (uint32_t)current};
    error = control_device(camera, VIDIOC_ENUMINPUT, &input);
    if (error) return error;
    return !(input.status & (V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL |
                             V4L2_IN_ST_NO_SYNC));
}
