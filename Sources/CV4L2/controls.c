/* SPDX-License-Identifier: Apache-2.0 */
/* Exposure, focus, power-line frequency and the like. */
#include "internal.h"

static enum cv4l2_control_kind kind_of(uint32_t type) {
    switch (type) {
    case V4L2_CTRL_TYPE_INTEGER: return CV4L2_INTEGER;
    case V4L2_CTRL_TYPE_BOOLEAN: return CV4L2_BOOLEAN;
    case V4L2_CTRL_TYPE_MENU:
    case V4L2_CTRL_TYPE_INTEGER_MENU: return CV4L2_MENU;
    case V4L2_CTRL_TYPE_BUTTON: return CV4L2_BUTTON;
    default: return CV4L2_OTHER;
    }
}

int cv4l2_control_after(const struct cv4l2_camera *camera, uint32_t id,
                        struct cv4l2_control *control) {
    for (;;) {
        struct v4l2_queryctrl found = {.id = id | V4L2_CTRL_FLAG_NEXT_CTRL};
        int error = control_device(camera, VIDIOC_QUERYCTRL, &found);
        if (error) return error;
        /* A driver that does not go forward would be asked for ever. */
        if ((found.id & V4L2_CTRL_ID_MASK) <= (id & V4L2_CTRL_ID_MASK))
            return -EINVAL;
        id = found.id;
        if (found.type == V4L2_CTRL_TYPE_CTRL_CLASS ||
            found.flags & V4L2_CTRL_FLAG_DISABLED)
            continue;
        *control = (struct cv4l2_control){
            .id = found.id,
            .kind = (uint8_t)kind_of(found.type),
            .is_read_only = !!(found.flags & V4L2_CTRL_FLAG_READ_ONLY),
            .is_inactive = !!(found.flags & V4L2_CTRL_FLAG_INACTIVE),
            .is_integer_menu = found.type == V4L2_CTRL_TYPE_INTEGER_MENU,
            .minimum = found.minimum,
            .maximum = found.maximum,
            .step = found.step,
            .fallback = found.default_value,
        };
        copy_text(control->name, found.name, sizeof(found.name));
        return 0;
    }
}

int cv4l2_menu_item(const struct cv4l2_camera *camera,
                    const struct cv4l2_control *control, uint32_t index,
                    struct cv4l2_text *text) {
    struct v4l2_querymenu found = {.id = control->id, .index = index};
    int error = control_device(camera, VIDIOC_QUERYMENU, &found);
    if (error) return error;
    if (!control->is_integer_menu) {
        copy_text(text->characters, found.name, sizeof(found.name));
        return 0;
    }
    /* 64 bits have 20 digits with the sign. */
    int64_t value = found.value;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[21];
    int count = 0;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    char *out = text->characters;
    if (value < 0) *out++ = '-';
    while (count > 0) *out++ = digits[--count];
    *out = 0;
    return 0;
}

int cv4l2_get_control(const struct cv4l2_camera *camera, uint32_t id,
                      int32_t *value) {
    struct v4l2_control control = {.id = id};
    int error = control_device(camera, VIDIOC_G_CTRL, &control);
    *value = control.value;
    return error;
}

int cv4l2_set_control(const struct cv4l2_camera *camera, uint32_t id,
                      int32_t value) {
    struct v4l2_control control = {.id = id, .value = value};
    return control_device(camera, VIDIOC_S_CTRL, &control);
}
