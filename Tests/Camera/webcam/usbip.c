/* SPDX-License-Identifier: Apache-2.0 */
#include "usbip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    CMD_SUBMIT = 1,
    CMD_UNLINK = 2,
    RET_SUBMIT = 3,
    RET_UNLINK = 4,
    HIGH_SPEED = 3, /* enum usb_device_speed */
};

/* Every message begins so; all numbers are big-endian. */
struct header {
    uint32_t command;
    uint32_t number;
    uint32_t device;
    uint32_t direction;
    uint32_t endpoint;
    union {
        struct {
            uint32_t flags, length, start_frame, packets, interval;
            uint8_t setup[8];
        } submit;
        struct {
            uint32_t status, length, start_frame, packets, errors;
            uint8_t padding[8];
        } submitted;
        struct {
            uint32_t number;
            uint8_t padding[24];
        } unlink;
        struct {
            uint32_t status;
            uint8_t padding[24];
        } unlinked;
    };
};
_Static_assert(sizeof(struct header) == 48, "a USB/IP header has 48 bytes");

int usbip_attach(unsigned port)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    /* The bus and device numbers of the far side are free; they are told
     * apart by the port. */
    unsigned device = 1 << 16 | (port + 2);
    FILE *attach = fopen("/sys/devices/platform/vhci_hcd.0/attach", "w");
    bool attached = attach && fprintf(attach, "%u %d %u %d", port, ends[0],
                                      device, HIGH_SPEED) > 0;
    if (attach && fclose(attach) != 0)
        attached = false;
    close(ends[0]); /* the kernel holds it now */
    if (attached)
        return ends[1];
    int saved = errno;
    close(ends[1]);
    errno = saved;
    return -1;
}

static bool read_all(int socket, void *data, size_t length)
{
    uint8_t *to = data;
    while (length > 0) {
        ssize_t count = read(socket, to, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        to += count;
        length -= (size_t)count;
    }
    return true;
}

static bool write_all(int socket, const void *data, size_t length)
{
    const uint8_t *from = data;
    while (length > 0) {
        ssize_t count = send(socket, from, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        from += count;
        length -= (size_t)count;
    }
    return true;
}

bool usbip_receive(int socket, struct usbip_request *request, uint8_t *data,
                   size_t capacity)
{
    struct header header;
    if (!read_all(socket, &header, sizeof header))
        return false;
    memset(request, 0, sizeof *request);
    request->unlink = ntohl(header.command) == CMD_UNLINK;
    request->number = ntohl(header.number);
    if (request->unlink) {
        request->unlinked = ntohl(header.unlink.number);
        return true;
    }
    request->in = ntohl(header.direction) != 0;
    request->endpoint = ntohl(header.endpoint);
    request->length = ntohl(header.submit.length);
    memcpy(request->setup, header.submit.setup, sizeof request->setup);
    if (request->in)
        return true;
    return request->length <= capacity &&
           read_all(socket, data, request->length);
}

bool usbip_reply(int socket, const struct usbip_request *request, int status,
                 const void *data, size_t length)
{
    struct header header;
    memset(&header, 0, sizeof header);
    header.command = htonl(request->unlink ? RET_UNLINK : RET_SUBMIT);
    header.number = htonl(request->number);
    if (request->unlink) {
        header.unlinked.status = htonl((uint32_t)status);
        return write_all(socket, &header, sizeof header);
    }
    header.submitted.status = htonl((uint32_t)status);
    header.submitted.length = htonl((uint32_t)length);
    return write_all(socket, &header, sizeof header) &&
           (!request->in || write_all(socket, data, length));
}
