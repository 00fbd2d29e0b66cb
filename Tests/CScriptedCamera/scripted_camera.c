/* SPDX-License-Identifier: Apache-2.0 */
#include "scripted_camera.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUFFERS = 4, PICTURES = 64, FORMATS = 16, CONTROLS = 8 };

struct format {
    uint32_t fourcc, width, height, rate;
    int is_emulated;
};

struct control {
    uint32_t id;
    char name[32];
    int32_t minimum, maximum, value;
};

struct scripted_camera {
    struct cv4l2_calls calls;
    pthread_mutex_t lock;
    uint32_t capabilities;
    struct format formats[FORMATS];
    int format_count, substitutes, emulates, has_no_signal;
    uint32_t stride, colorspace, encoding, quantization;
    struct control controls[CONTROLS];
    int control_count;
    struct {
        int error, times, count;
    } script[SCRIPTED_CALL_COUNT];
    int fd, is_unplugged, wakes;
    struct v4l2_pix_format agreed;
    uint8_t *memory[BUFFERS];
    size_t mapped;
    int queued[BUFFERS], queued_count, is_streaming;
    struct scripted_picture pictures[PICTURES];
    int picture_count;
};

static int fail(int error) {
    errno = error;
    return -1;
}

/* Counts a call; -1 and errno if it has to fail. */
static int begin(struct scripted_camera *camera, enum scripted_call call) {
    camera->script[call].count++;
    if (camera->is_unplugged) return fail(call == SCRIPTED_OPEN ? ENOENT : ENODEV);
    if (camera->script[call].times == 0) return 0;
    camera->script[call].times--;
    return fail(camera->script[call].error);
}

static void notify(struct scripted_camera *camera) {
    if (camera->fd >= 0) eventfd_write(camera->fd, 1);
}

static int script_open(void *context, const char *path) {
    struct scripted_camera *camera = context;
    (void)path;
    pthread_mutex_lock(&camera->lock);
    int result = begin(camera, SCRIPTED_OPEN);
    if (result == 0)
        result = camera->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_unlock(&camera->lock);
    return result;
}

static int script_close(void *context, int fd) {
    struct scripted_camera *camera = context;
    pthread_mutex_lock(&camera->lock);
    if (camera->fd == fd) camera->fd = -1;
    camera->is_streaming = 0;
    pthread_mutex_unlock(&camera->lock);
    return close(fd);
}

static const struct format *find(const struct scripted_camera *camera,
                                 uint32_t fourcc, uint32_t index) {
    for (int i = 0; i < camera->format_count; i++)
        if (camera->formats[i].fourcc == fourcc && index-- == 0)
            return &camera->formats[i];
    return NULL;
}

static int list_format(const struct scripted_camera *camera,
                       struct v4l2_fmtdesc *entry) {
    uint32_t index = entry->index;
    for (int i = 0; i < camera->format_count; i++) {
        uint32_t fourcc = camera->formats[i].fourcc;
        int is_first = find(camera, fourcc, 0) == &camera->formats[i];
        if (!is_first || index-- > 0) continue;
        entry->pixelformat = fourcc;
        entry->flags =
            camera->formats[i].is_emulated ? V4L2_FMT_FLAG_EMULATED : 0;
        memcpy(entry->description, &fourcc, 4);
        return 0;
    }
    return fail(EINVAL);
}

static int list_size(const struct scripted_camera *camera,
                     struct v4l2_frmsizeenum *entry) {
    const struct format *found = find(camera, entry->pixel_format, entry->index);
    if (!found) return fail(EINVAL);
    entry->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    entry->discrete.width = found->width;
    entry->discrete.height = found->height;
    return 0;
}

static int list_interval(const struct scripted_camera *camera,
                         struct v4l2_frmivalenum *entry) {
    if (entry->index > 0) return fail(EINVAL);
    for (int i = 0; i < camera->format_count; i++) {
        const struct format *format = &camera->formats[i];
        if (format->fourcc != entry->pixel_format ||
            format->width != entry->width || format->height != entry->height)
            continue;
        entry->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        entry->discrete = (struct v4l2_fract){1, format->rate};
        return 0;
    }
    return fail(EINVAL);
}

static uint32_t least_stride(uint32_t fourcc, uint32_t width) {
    switch (fourcc) {
    case V4L2_PIX_FMT_YUYV:
    case V4L2_PIX_FMT_UYVY: return (width + 1) / 2 * 4;
    case V4L2_PIX_FMT_RGB24:
    case V4L2_PIX_FMT_BGR24: return 3 * width;
    case V4L2_PIX_FMT_MJPEG: return 0;
    default: return width;
    }
}

static int set_format(struct scripted_camera *camera,
                      struct v4l2_format *format) {
    struct v4l2_pix_format *pix = &format->fmt.pix;
    if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || !camera->format_count)
        return fail(EINVAL);
    /* As drivers do: what it does not have becomes what it has. */
    const struct format *best = &camera->formats[0];
    for (int i = 0; i < camera->format_count && !camera->substitutes; i++) {
        const struct format *entry = &camera->formats[i];
        if (entry->fourcc != pix->pixelformat) continue;
        if (best->fourcc != pix->pixelformat || (entry->width == pix->width &&
                                                 entry->height == pix->height))
            best = entry;
    }
    pix->pixelformat = best->fourcc;
    pix->width = best->width;
    pix->height = best->height;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = camera->stride ? camera->stride
                                       : least_stride(best->fourcc, best->width);
    pix->sizeimage = pix->bytesperline ? pix->bytesperline * best->height * 2
                                       : 2 * best->width * best->height;
    pix->colorspace = camera->colorspace;
    pix->ycbcr_enc = camera->encoding;
    pix->quantization = camera->quantization;
    pix->priv = V4L2_PIX_FMT_PRIV_MAGIC;
    camera->agreed = *pix;
    return 0;
}

static int next_control(const struct scripted_camera *camera,
                        struct v4l2_queryctrl *query) {
    uint32_t after = query->id & V4L2_CTRL_ID_MASK;
    for (int i = 0; i < camera->control_count; i++) {
        const struct control *control = &camera->controls[i];
        if (control->id <= after) continue;
        query->id = control->id;
        query->type = V4L2_CTRL_TYPE_INTEGER;
        query->minimum = control->minimum;
        query->maximum = control->maximum;
        query->step = 1;
        query->default_value = control->minimum;
        query->flags = 0;
        memcpy(query->name, control->name, sizeof(control->name));
        return 0;
    }
    return fail(EINVAL);
}

static int access_control(struct scripted_camera *camera,
                          struct v4l2_control *request, int sets) {
    for (int i = 0; i < camera->control_count; i++) {
        struct control *control = &camera->controls[i];
        if (control->id != request->id) continue;
        if (sets) control->value = request->value;
        request->value = control->value;
        return 0;
    }
    return fail(EINVAL);
}

static int dequeue(struct scripted_camera *camera, struct v4l2_buffer *buffer) {
    uint64_t ignored;
    if (!camera->is_streaming) return fail(EINVAL);
    if (!camera->picture_count || !camera->queued_count) {
        eventfd_read(camera->fd, &ignored);
        return fail(EAGAIN);
    }
    struct scripted_picture picture = camera->pictures[0];
    memmove(camera->pictures, camera->pictures + 1,
            sizeof(picture) * (size_t)--camera->picture_count);
    int index = camera->queued[0];
    memmove(camera->queued, camera->queued + 1,
            sizeof(int) * (size_t)--camera->queued_count);
    if (!camera->picture_count) eventfd_read(camera->fd, &ignored);
    size_t room = camera->agreed.sizeimage;
    if (picture.bytes)
        memcpy(camera->memory[index], picture.bytes,
               picture.byte_count < room ? picture.byte_count : room);
    else
        memset(camera->memory[index], picture.fill, room);
    buffer->index = picture.index < 0 ? (uint32_t)index : (uint32_t)picture.index;
    buffer->bytesused = picture.byte_count;
    buffer->sequence = picture.sequence;
    buffer->flags = picture.flags;
    buffer->timestamp.tv_sec = (time_t)(picture.nanoseconds / 1000000000);
    buffer->timestamp.tv_usec =
        (suseconds_t)(picture.nanoseconds % 1000000000 / 1000);
    return 0;
}

static int queue(struct scripted_camera *camera,
                 const struct v4l2_buffer *buffer) {
    if (buffer->index >= BUFFERS || camera->queued_count == BUFFERS)
        return fail(EINVAL);
    camera->queued[camera->queued_count++] = (int)buffer->index;
    return 0;
}

static int control_device(struct scripted_camera *camera,
                          unsigned long request, void *argument) {
    struct v4l2_capability *capability = argument;
    struct v4l2_buffer *buffer = argument;
    switch (request) {
    case VIDIOC_QUERYCAP:
        if (begin(camera, SCRIPTED_QUERYCAP)) return -1;
        memset(capability, 0, sizeof(*capability));
        memcpy(capability->driver, "scripted", 9);
        memcpy(capability->card, "A script\x1b[31m", 14);
        capability->capabilities = V4L2_CAP_DEVICE_CAPS | camera->capabilities;
        capability->device_caps = camera->capabilities;
        return 0;
    case VIDIOC_ENUM_FMT: return list_format(camera, argument);
    case VIDIOC_ENUM_FRAMESIZES: return list_size(camera, argument);
    case VIDIOC_ENUM_FRAMEINTERVALS: return list_interval(camera, argument);
    case VIDIOC_S_FMT:
        return begin(camera, SCRIPTED_S_FMT) ? -1 : set_format(camera, argument);
    case VIDIOC_S_PARM: return 0;
    case VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case VIDIOC_ENUMINPUT:
        ((struct v4l2_input *)argument)->status =
            camera->has_no_signal ? V4L2_IN_ST_NO_SIGNAL : 0;
        return 0;
    case VIDIOC_QUERYCTRL: return next_control(camera, argument);
    case VIDIOC_G_CTRL: return access_control(camera, argument, 0);
    case VIDIOC_S_CTRL:
        if (begin(camera, SCRIPTED_S_CTRL)) return -1;
        return access_control(camera, argument, 1);
    case VIDIOC_REQBUFS:
        if (begin(camera, SCRIPTED_REQBUFS)) return -1;
        ((struct v4l2_requestbuffers *)argument)->count = BUFFERS;
        camera->queued_count = 0;
        return 0;
    case VIDIOC_QUERYBUF:
        if (begin(camera, SCRIPTED_QUERYBUF)) return -1;
        buffer->length = camera->agreed.sizeimage;
        buffer->m.offset = buffer->index;
        return 0;
    case VIDIOC_QBUF:
        return begin(camera, SCRIPTED_QBUF) ? -1 : queue(camera, buffer);
    case VIDIOC_DQBUF:
        return begin(camera, SCRIPTED_DQBUF) ? -1 : dequeue(camera, buffer);
    case VIDIOC_STREAMON:
        if (begin(camera, SCRIPTED_STREAMON)) return -1;
        camera->is_streaming = 1;
        if (camera->picture_count) notify(camera);
        return 0;
    case VIDIOC_STREAMOFF: camera->is_streaming = 0; return 0;
    default: return fail(ENOTTY);
    }
}

static int script_ioctl(void *context, int fd, unsigned long request,
                        void *argument) {
    struct scripted_camera *camera = context;
    (void)fd;
    pthread_mutex_lock(&camera->lock);
    int result = control_device(camera, request, argument);
    pthread_mutex_unlock(&camera->lock);
    return result;
}

static void *script_map(void *context, int fd, size_t length, int64_t offset) {
    struct scripted_camera *camera = context;
    (void)fd;
    if (begin(camera, SCRIPTED_MAP)) return MAP_FAILED;
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    camera->memory[offset] = start;
    return start;
}

static int script_unmap(void *context, void *start, size_t length) {
    (void)context;
    return munmap(start, length);
}

static int script_poll(void *context, struct pollfd *entries, int count,
                       int milliseconds) {
    struct scripted_camera *camera = context;
    pthread_mutex_lock(&camera->lock);
    int is_unplugged = camera->is_unplugged, wakes = 0;
    int failed = count > 1 && !is_unplugged && begin(camera, SCRIPTED_POLL);
    int error = errno;
    if (count > 1 && camera->wakes > 0) wakes = camera->wakes--;
    pthread_mutex_unlock(&camera->lock);
    if (failed) return fail(error);
    if (wakes) {
        entries[0].revents = POLLIN;
        entries[1].revents = 0;
        return 1;
    }
    int ready = poll(entries, (nfds_t)count, milliseconds);
    if (count > 1 && camera->is_unplugged) {
        entries[0].revents |= POLLERR | POLLHUP;
        ready = 1;
    }
    return ready;
}

struct scripted_camera *scripted_camera_new(void) {
    struct scripted_camera *camera = calloc(1, sizeof(*camera));
    camera->calls = (struct cv4l2_calls){
        .context = camera,
        .open = script_open,
        .close = script_close,
        .ioctl = script_ioctl,
        .map = script_map,
        .unmap = script_unmap,
        .poll = script_poll,
    };
    pthread_mutex_init(&camera->lock, NULL);
    camera->fd = -1;
    camera->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    camera->colorspace = V4L2_COLORSPACE_SRGB;
    return camera;
}

const struct cv4l2_calls *
scripted_camera_calls(const struct scripted_camera *camera) {
    return &camera->calls;
}

void scripted_camera_set_capabilities(struct scripted_camera *camera,
                                      uint32_t capabilities) {
    camera->capabilities = capabilities;
}

void scripted_camera_add_format(struct scripted_camera *camera,
                                const char fourcc[4], uint32_t width,
                                uint32_t height, uint32_t rate) {
    struct format *format = &camera->formats[camera->format_count++];
    *format = (struct format){
        v4l2_fourcc((uint32_t)fourcc[0], (uint32_t)fourcc[1],
                    (uint32_t)fourcc[2], (uint32_t)fourcc[3]),
        width, height, rate, camera->emulates};
}

void scripted_camera_emulate(struct scripted_camera *camera) {
    camera->emulates = 1;
}

void scripted_camera_substitute(struct scripted_camera *camera) {
    camera->substitutes = 1;
}

void scripted_camera_set_stride(struct scripted_camera *camera,
                                uint32_t bytes) {
    camera->stride = bytes;
}

void scripted_camera_set_colors(struct scripted_camera *camera,
                                uint32_t colorspace, uint32_t encoding,
                                uint32_t quantization) {
    camera->colorspace = colorspace;
    camera->encoding = encoding;
    camera->quantization = quantization;
}

void scripted_camera_lose_signal(struct scripted_camera *camera) {
    camera->has_no_signal = 1;
}

void scripted_camera_add_control(struct scripted_camera *camera, uint32_t id,
                                 const char *name, int32_t minimum,
                                 int32_t maximum, int32_t value) {
    struct control *control = &camera->controls[camera->control_count++];
    *control = (struct control){
        .id = id, .minimum = minimum, .maximum = maximum, .value = value};
    strncpy(control->name, name, sizeof(control->name) - 1);
}

int32_t scripted_camera_control(const struct scripted_camera *camera,
                                uint32_t id) {
    for (int i = 0; i < camera->control_count; i++)
        if (camera->controls[i].id == id) return camera->controls[i].value;
    return INT32_MIN;
}

void scripted_camera_fail(struct scripted_camera *camera,
                          enum scripted_call call, int error, int times) {
    pthread_mutex_lock(&camera->lock);
    camera->script[call].error = error;
    camera->script[call].times = times;
    pthread_mutex_unlock(&camera->lock);
}

int scripted_camera_count(const struct scripted_camera *camera,
                          enum scripted_call call) {
    return camera->script[call].count;
}

void scripted_camera_push(struct scripted_camera *camera,
                          const struct scripted_picture *picture) {
    pthread_mutex_lock(&camera->lock);
    if (camera->picture_count < PICTURES) {
        camera->pictures[camera->picture_count++] = *picture;
        notify(camera);
    }
    pthread_mutex_unlock(&camera->lock);
}

void scripted_camera_wake(struct scripted_camera *camera, int times) {
    pthread_mutex_lock(&camera->lock);
    camera->wakes = times;
    notify(camera);
    pthread_mutex_unlock(&camera->lock);
}

void scripted_camera_unplug(struct scripted_camera *camera) {
    pthread_mutex_lock(&camera->lock);
    camera->is_unplugged = 1;
    camera->picture_count = 0;
    notify(camera);
    pthread_mutex_unlock(&camera->lock);
}

void scripted_camera_plug(struct scripted_camera *camera) {
    pthread_mutex_lock(&camera->lock);
    camera->is_unplugged = 0;
    pthread_mutex_unlock(&camera->lock);
}
