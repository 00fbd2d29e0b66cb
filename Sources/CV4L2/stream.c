/* SPDX-License-Identifier: Apache-2.0 */
/* The picture's layout and the stream of buffers. */
#include "internal.h"

#include <sys/mman.h>

static int is_rgb(uint32_t fourcc) {
    return fourcc == V4L2_PIX_FMT_RGB24 || fourcc == V4L2_PIX_FMT_BGR24;
}

/* What a driver leaves at "default" means what V4L2's own macros say. */
static void describe_colors(struct cv4l2_picture *picture, uint32_t colorspace,
                            uint32_t encoding, uint32_t quantization) {
    int rgb = is_rgb(picture->fourcc);
    if (colorspace == V4L2_COLORSPACE_DEFAULT)
        colorspace = V4L2_COLORSPACE_SRGB;
    if (encoding == V4L2_YCBCR_ENC_DEFAULT)
        encoding = V4L2_MAP_YCBCR_ENC_DEFAULT(colorspace);
    /* By the macro, gray would be a limited luma; gray cameras use it all. */
    if (quantization == V4L2_QUANTIZATION_DEFAULT &&
        picture->fourcc == V4L2_PIX_FMT_GREY)
        quantization = V4L2_QUANTIZATION_FULL_RANGE;
    if (quantization == V4L2_QUANTIZATION_DEFAULT)
        quantization =
            V4L2_MAP_QUANTIZATION_DEFAULT(rgb, colorspace, encoding);
    picture->is_full_range = quantization == V4L2_QUANTIZATION_FULL_RANGE;
    switch (encoding) {
    case V4L2_YCBCR_ENC_709:
    case V4L2_YCBCR_ENC_XV709:
    case V4L2_YCBCR_ENC_SMPTE240M: /* its coefficients differ by 0.002 */
        picture->matrix = CV4L2_BT709;
        break;
    case V4L2_YCBCR_ENC_BT2020:
    case V4L2_YCBCR_ENC_BT2020_CONST_LUM:
        picture->matrix = CV4L2_BT2020;
        break;
    default: picture->matrix = CV4L2_BT601; break;
    }
}

static int is_single_field(uint32_t field) {
    return field == V4L2_FIELD_TOP || field == V4L2_FIELD_BOTTOM ||
           field == V4L2_FIELD_ALTERNATE || field == V4L2_FIELD_SEQ_TB ||
           field == V4L2_FIELD_SEQ_BT;
}

static int set_multiplanar(struct cv4l2_camera *camera,
                           struct cv4l2_picture *picture) {
    struct v4l2_format format = {.type = buffer_type(camera)};
    struct v4l2_pix_format_mplane *pix = &format.fmt.pix_mp;
    pix->width = picture->width;
    pix->height = picture->height;
    pix->pixelformat = picture->fourcc;
    pix->field = V4L2_FIELD_NONE;
    int error = control_device(camera, VIDIOC_S_FMT, &format);
    if (error) return error;
    if (pix->num_planes < 1 || pix->num_planes > CV4L2_MAX_PLANES)
        return -EINVAL;
    *picture = (struct cv4l2_picture){
        .width = pix->width,
        .height = pix->height,
        .fourcc = pix->pixelformat,
        .is_single_field = (uint8_t)is_single_field(pix->field),
        .plane_count = pix->num_planes,
    };
    for (int plane = 0; plane < pix->num_planes; plane++) {
        picture->row_stride[plane] = pix->plane_fmt[plane].bytesperline;
        picture->byte_count[plane] = pix->plane_fmt[plane].sizeimage;
    }
    describe_colors(picture, pix->colorspace, pix->ycbcr_enc,
                    pix->quantization);
    return 0;
}

static int set_single_planar(struct cv4l2_camera *camera,
                             struct cv4l2_picture *picture) {
    struct v4l2_format format = {.type = buffer_type(camera)};
    struct v4l2_pix_format *pix = &format.fmt.pix;
    pix->width = picture->width;
    pix->height = picture->height;
    pix->pixelformat = picture->fourcc;
    pix->field = V4L2_FIELD_NONE;
    pix->priv = V4L2_PIX_FMT_PRIV_MAGIC;
    int error = control_device(camera, VIDIOC_S_FMT, &format);
    if (error) return error;
    *picture = (struct cv4l2_picture){
        .width = pix->width,
        .height = pix->height,
        .fourcc = pix->pixelformat,
        .is_single_field = (uint8_t)is_single_field(pix->field),
        .plane_count = 1,
        .row_stride = {pix->bytesperline},
        .byte_count = {pix->sizeimage},
    };
    /* Old drivers do not know the two newer fields, and leave garbage. */
    int is_new = pix->priv == V4L2_PIX_FMT_PRIV_MAGIC;
    describe_colors(picture, pix->colorspace, is_new ? pix->ycbcr_enc : 0,
                    is_new ? pix->quantization : 0);
    return 0;
}

int cv4l2_set_picture(struct cv4l2_camera *camera,
                      struct cv4l2_picture *picture) {
    int error = camera->is_multiplanar ? set_multiplanar(camera, picture)
                                       : set_single_planar(camera, picture);
    if (!error) camera->plane_count = picture->plane_count;
    return error;
}

int cv4l2_set_interval(const struct cv4l2_camera *camera, uint32_t *numerator,
                       uint32_t *denominator) {
    struct v4l2_streamparm parameters = {.type = buffer_type(camera)};
    struct v4l2_fract *interval = &parameters.parm.capture.timeperframe;
    interval->numerator = *numerator;
    interval->denominator = *denominator;
    int error = control_device(camera, VIDIOC_S_PARM, &parameters);
    if (error) return error;
    *numerator = interval->numerator;
    *denominator = interval->denominator;
    return 0;
}

int cv4l2_request_buffers(const struct cv4l2_camera *camera, uint32_t *count) {
    struct v4l2_requestbuffers request = {
        .count = *count,
        .type = buffer_type(camera),
        .memory = V4L2_MEMORY_MMAP,
    };
    int error = control_device(camera, VIDIOC_REQBUFS, &request);
    if (!error) *count = request.count;
    return error;
}

/* The two shapes of a buffer as an ioctl takes it. */
struct buffer {
    struct v4l2_buffer head;
    struct v4l2_plane planes[VIDEO_MAX_PLANES];
};

static void prepare(struct buffer *buffer, const struct cv4l2_camera *camera,
                    uint32_t index) {
    memset(buffer, 0, sizeof(*buffer));
    buffer->head.type = buffer_type(camera);
    buffer->head.memory = V4L2_MEMORY_MMAP;
    buffer->head.index = index;
    if (!camera->is_multiplanar) return;
    buffer->head.m.planes = buffer->planes;
    buffer->head.length = VIDEO_MAX_PLANES;
}

int cv4l2_map_buffer(const struct cv4l2_camera *camera, uint32_t index,
                     struct cv4l2_plane planes[CV4L2_MAX_PLANES]) {
    memset(planes, 0, CV4L2_MAX_PLANES * sizeof(*planes));
    struct buffer buffer;
    prepare(&buffer, camera, index);
    int error = control_device(camera, VIDIOC_QUERYBUF, &buffer.head);
    if (error) return error;
    for (int plane = 0; plane < camera->plane_count; plane++) {
        size_t length = camera->is_multiplanar ? buffer.planes[plane].length
                                               : buffer.head.length;
        int64_t offset = camera->is_multiplanar
                             ? buffer.planes[plane].m.mem_offset
                             : buffer.head.m.offset;
        void *start = camera->calls->map(camera->calls->context, camera->fd,
                                         length, offset);
        if (start == MAP_FAILED) {
            error = -errno;
            cv4l2_unmap_buffer(camera, planes);
            return error;
        }
        planes[plane] = (struct cv4l2_plane){start, length};
    }
    return 0;
}

void cv4l2_unmap_buffer(const struct cv4l2_camera *camera,
                        struct cv4l2_plane planes[CV4L2_MAX_PLANES]) {
    for (int plane = 0; plane < CV4L2_MAX_PLANES; plane++) {
        if (!planes[plane].start) continue;
        camera->calls->unmap(camera->calls->context, planes[plane].start,
                             planes[plane].byte_count);
        planes[plane] = (struct cv4l2_plane){0};
    }
}

int cv4l2_stream_on(const struct cv4l2_camera *camera) {
    int type = (int)buffer_type(camera);
    return control_device(camera, VIDIOC_STREAMON, &type);
}

int cv4l2_stream_off(const struct cv4l2_camera *camera) {
    int type = (int)buffer_type(camera);
    return control_device(camera, VIDIOC_STREAMOFF, &type);
}

int cv4l2_queue(const struct cv4l2_camera *camera, uint32_t index) {
    struct buffer buffer;
    prepare(&buffer, camera, index);
    if (camera->is_multiplanar) buffer.head.length = camera->plane_count;
    return control_device(camera, VIDIOC_QBUF, &buffer.head);
}

int cv4l2_dequeue(const struct cv4l2_camera *camera,
                  struct cv4l2_filled *filled) {
    struct buffer buffer;
    prepare(&buffer, camera, 0);
    int error = control_device(camera, VIDIOC_DQBUF, &buffer.head);
    if (error) return error;
    const struct v4l2_buffer *head = &buffer.head;
    *filled = (struct cv4l2_filled){
        .index = head->index,
        .sequence = head->sequence,
        .is_flagged = !!(head->flags & V4L2_BUF_FLAG_ERROR),
        .is_monotonic = (head->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) ==
                        V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
    };
    /* A driver may say anything: seconds beyond 292 years do not fit. */
    int64_t seconds = (int64_t)head->timestamp.tv_sec;
    int64_t micros = (int64_t)head->timestamp.tv_usec;
    if (__builtin_mul_overflow(seconds, (int64_t)1000000000,
                               &filled->nanoseconds) ||
        __builtin_mul_overflow(micros, (int64_t)1000, &micros) ||
        __builtin_add_overflow(filled->nanoseconds, micros,
                               &filled->nanoseconds))
        filled->is_monotonic = 0;
    if (!camera->is_multiplanar) {
        filled->byte_count[0] = head->bytesused;
        return 0;
    }
    for (int plane = 0; plane < camera->plane_count; plane++) {
        const struct v4l2_plane *found = &buffer.planes[plane];
        filled->offset[plane] = found->data_offset;
        filled->byte_count[plane] = found->bytesused > found->data_offset
                                        ? found->bytesused - found->data_offset
                                        : 0;
    }
    return 0;
}

int cv4l2_wait(const struct cv4l2_camera *camera, int stop_fd,
               int milliseconds) {
    struct pollfd entries[2] = {
        {.fd = camera->fd, .events = POLLIN},
        {.fd = stop_fd, .events = POLLIN},
    };
    int ready = camera->calls->poll(camera->calls->context, entries, 2,
                                    milliseconds);
    if (ready < 0) return -errno;
    int found = 0;
    if (entries[1].revents) found |= CV4L2_STOP;
    if (entries[0].revents & (POLLERR | POLLHUP | POLLNVAL))
        found |= CV4L2_FAILURE;
    if (entries[0].revents & POLLIN) found |= CV4L2_FRAME;
    return found;
}

void cv4l2_rest(const struct cv4l2_camera *camera, int stop_fd,
                int milliseconds) {
    struct pollfd entry = {.fd = stop_fd, .events = POLLIN};
    camera->calls->poll(camera->calls->context, &entry, 1, milliseconds);
}
