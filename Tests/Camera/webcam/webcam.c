/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB webcam in user space. It plugs itself into the virtual host controller
 * of the kernel that it runs on, so that the kernel's own uvcvideo drives it,
 * and shows pictures from files. It can fail in the ways in which cameras do.
 *
 *   usage: webcam [options] PICTURE... [-- COMMAND...]
 *
 *   -i VID:PID  what it says that it is, in hexadecimal (1d6b:0102)
 *   -n SERIAL   its serial number (OC1)
 *   -p PORT     the port of vhci_hcd.0 that it is plugged into (0)
 *   -s WxH      the size of all pictures (640x480)
 *   -r RATE     pictures per second at most (10)
 *   -c FIFO     reads commands from there, one a line
 *
 * A file NAME.jpg is a picture in MJPEG, NAME.yuyv in YUYV, NAME.yv12 in YV12;
 * the camera has the formats of which it has pictures. The first of each format
 * is number 1.
 * Commands:
 *
 *   show N      show picture N only; 0 shows all of them in turn
 *   flag K      each Kth picture is marked as bad; 0 ends that
 *   cut K       each Kth picture stops half way; 0 ends that
 *   silence N   send nothing more after N pictures
 *   resume      send again
 *   unplug N    pull the plug after N pictures
 */
#include "usbip.h"
#include "uvc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAXIMUM_PICTURES = 16,
    MAXIMUM_TRANSFERS = 64, /* that wait for a picture; uvcvideo submits 5 */
    NEVER = -1,
};

struct picture {
    uint8_t *bytes;
    size_t length;
};

static struct uvc_camera camera = {
    .vendor = 0x1d6b, .product = 0x0102, .serial = "OC1",
    .width = 640, .height = 480, .rate = 10,
};
static struct picture pictures[UVC_FORMATS][MAXIMUM_PICTURES];
static int picture_counts[UVC_FORMATS];

/* What the commands set; counts of pictures to go, or NEVER. */
static int shown = 0, flag_every = 0, cut_every = 0;
static int until_silence = NEVER, until_unplug = NEVER;

/* The picture that is being sent. */
static int connection;
static long sent;         /* whole pictures */
static size_t offset;     /* bytes of this one that are gone */
static uint8_t frame_bit; /* toggles from picture to picture */
static double due;        /* when it may begin, in seconds */

static struct usbip_request waiting[MAXIMUM_TRANSFERS];
static int waiting_count;
static uint32_t last_transfer; /* its number */
/* Requests that take back transfers which have not come yet. */
static struct usbip_request early[MAXIMUM_TRANSFERS];
static int early_count;

static void fail(const char *what)
{
    fprintf(stderr, "webcam: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void unplug(void)
{
    printf("webcam: unplugged after %ld pictures\n", sent);
    exit(0);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void add_picture(const char *path)
{
    const char *dot = strrchr(path, '.');
    enum uvc_format format = UVC_MJPEG;
    if (dot && strcmp(dot, ".yuyv") == 0)
        format = UVC_YUYV;
    if (dot && strcmp(dot, ".yv12") == 0)
        format = UVC_YV12;
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    long length = ftell(file);
    rewind(file);
    struct picture picture = { malloc((size_t)length), (size_t)length };
    if (!picture.bytes || picture_counts[format] == MAXIMUM_PICTURES ||
        fread(picture.bytes, 1, picture.length, file) != picture.length)
        fail(path);
    fclose(file);
    pictures[format][picture_counts[format]++] = picture;
    camera.formats[format] = true;
}

static void obey(const char *command)
{
    char verb[16] = "";
    int number = 0;
    sscanf(command, "%15s %d", verb, &number);
    if (strcmp(verb, "show") == 0)
        shown = number;
    else if (strcmp(verb, "flag") == 0)
        flag_every = number;
    else if (strcmp(verb, "cut") == 0)
        cut_every = number;
    else if (strcmp(verb, "silence") == 0)
        until_silence = number;
    else if (strcmp(verb, "resume") == 0)
        until_silence = NEVER;
    else if (strcmp(verb, "unplug") == 0)
        until_unplug = number;
    else
        fprintf(stderr, "webcam: unknown command '%s'\n", command);
    if (until_unplug == 0)
        unplug();
}

static void obey_lines(int fifo)
{
    static char line[256];
    static size_t length;
    char byte;
    while (read(fifo, &byte, 1) == 1) {
        if (byte != '\n' && length < sizeof line - 1) {
            line[length++] = byte;
            continue;
        }
        line[length] = 0;
        obey(line);
        length = 0;
    }
}

static void restart_picture(void)
{
    offset = 0;
    frame_bit ^= 1;
}

static void finish_picture(void)
{
    restart_picture();
    sent++;
    double interval = camera.interval / 1e7;
    due = due + interval < now() - 1 ? now() + interval : due + interval;
    if (until_silence > 0)
        until_silence--;
    if (until_unplug > 0 && --until_unplug == 0)
        unplug();
}

/* Answers the oldest waiting transfer with the next piece of the picture. */
static void send_piece(void)
{
    enum uvc_format format = uvc_format(&camera);
    long index = shown > 0 ? shown - 1 : sent;
    const struct picture *picture =
        &pictures[format][index % picture_counts[format]];
    size_t length = picture->length;
    if (cut_every > 0 && sent % cut_every == cut_every - 1)
        length /= 2;
    /* A command may have changed the picture in the middle. */
    if (offset > length)
        offset = length;

    /* UVC 1.0, section 2.4.3.2: a header, then a piece of the picture. */
    static uint8_t piece[UVC_PAYLOAD];
    size_t room = UVC_PAYLOAD;
    if (waiting[0].length < room)
        room = waiting[0].length;
    size_t count = length - offset;
    if (count > room - UVC_PAYLOAD_HEADER)
        count = room - UVC_PAYLOAD_HEADER;
    bool last = offset + count == length;
    bool bad = flag_every > 0 && sent % flag_every == flag_every - 1;
    piece[0] = UVC_PAYLOAD_HEADER;
    piece[1] = (uint8_t)(1 << 7 | (last && bad) << 6 | last << 1 | frame_bit);
    memcpy(piece + UVC_PAYLOAD_HEADER, picture->bytes + offset, count);
    if (!usbip_reply(connection, &waiting[0], 0, piece,
                     UVC_PAYLOAD_HEADER + count))
        unplug();
    waiting_count--;
    memmove(waiting, waiting + 1, sizeof *waiting * (size_t)waiting_count);
    offset += count;
    if (last)
        finish_picture();
}

/* The host takes a transfer back that waits for a picture. */
static int take_back(uint32_t number)
{
    for (int index = 0; index < waiting_count; index++) {
        if (waiting[index].number != number)
            continue;
        waiting_count--;
        memmove(waiting + index, waiting + index + 1,
                sizeof *waiting * (size_t)(waiting_count - index));
        return -ECONNRESET;
    }
    return 0; /* it was answered meanwhile */
}

/*
 * Two lists of vhci_hcd, of transfers and of those to take back, are sent by
 * turns, so a transfer may be taken back before it comes. To answer at once
 * would be a race that the host ends by unplugging us: it forgets the transfer
 * or not, by whether it has sent it meanwhile. So the answer waits for it.
 */
static bool comes_later(uint32_t number)
{
    return (int32_t)(number - last_transfer) > 0;
}

/* The request that took a transfer back before it came, if there is one. */
static bool was_taken_back(uint32_t number, struct usbip_request *taker)
{
    for (int index = 0; index < early_count; index++) {
        if (early[index].unlinked != number)
            continue;
        *taker = early[index];
        early[index] = early[--early_count];
        return true;
    }
    return false;
}

static void serve_request(void)
{
    static uint8_t data[65536];
    uint8_t reply[512];
    struct usbip_request request, taker;
    memset(data, 0, 64);
    if (!usbip_receive(connection, &request, data, sizeof data))
        unplug();
    bool alive = true;
    if (!request.unlink)
        last_transfer = request.number;
    if (request.unlink && comes_later(request.unlinked) &&
        early_count < MAXIMUM_TRANSFERS) {
        early[early_count++] = request;
    } else if (request.unlink) {
        int status = take_back(request.unlinked);
        alive = usbip_reply(connection, &request, status, NULL, 0);
    } else if (was_taken_back(request.number, &taker)) {
        alive = usbip_reply(connection, &taker, -ECONNRESET, NULL, 0);
    } else if (request.endpoint == UVC_ENDPOINT &&
               waiting_count < MAXIMUM_TRANSFERS) {
        waiting[waiting_count++] = request;
    } else if (request.endpoint == 0) {
        uint16_t brightness = camera.brightness;
        uint8_t power_line = camera.power_line;
        enum uvc_effect effect;
        int length = uvc_control(&camera, request.setup, data, reply, &effect);
        if (effect == UVC_RESTART)
            restart_picture();
        if (brightness != camera.brightness || power_line != camera.power_line)
            printf("webcam: brightness %d, power line %d\n", camera.brightness,
                   camera.power_line);
        /* A transfer to us carries no bytes back, only how many came. */
        size_t count = request.in ? (size_t)length : request.length;
        alive = length < 0
                    ? usbip_reply(connection, &request, -EPIPE, NULL, 0)
                    : usbip_reply(connection, &request, 0, reply, count);
    } else {
        alive = usbip_reply(connection, &request, -EPIPE, NULL, 0);
    }
    if (!alive)
        unplug();
}

int main(int argc, char **argv)
{
    unsigned port = 0, vendor = camera.vendor, product = camera.product;
    int fifo = -1, option;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt(argc, argv, "+i:n:p:s:r:c:")) != -1) {
        int fields = 2;
        if (option == 'i')
            fields = sscanf(optarg, "%x:%x", &vendor, &product);
        else if (option == 'n')
            camera.serial = optarg;
        else if (option == 'p')
            port = (unsigned)atoi(optarg);
        else if (option == 's')
            fields = sscanf(optarg, "%ux%u", &camera.width, &camera.height);
        else if (option == 'r')
            camera.rate = (unsigned)atoi(optarg);
        else if (option == 'c')
            /* Open for writing too: it never ends. */
            fifo = open(optarg, O_RDWR | O_NONBLOCK);
        if (option == '?' || fields != 2 || camera.rate == 0 ||
            (option == 'c' && fifo < 0)) {
            fprintf(stderr, "webcam: see the top of webcam.c\n");
            return 64;
        }
    }
    camera.vendor = (uint16_t)vendor;
    camera.product = (uint16_t)product;
    int argument = optind;
    for (; argument < argc && strcmp(argv[argument], "--") != 0; argument++)
        add_picture(argv[argument]);
    if (argument == optind) {
        fprintf(stderr, "webcam: no pictures\n");
        return 64;
    }
    while (++argument < argc)
        obey(argv[argument]);

    uvc_start(&camera);
    connection = usbip_attach(port);
    if (connection < 0)
        fail("attach to vhci_hcd.0");

    for (;;) {
        /* A silent camera waits for requests only. */
        double wait = until_silence == 0 || waiting_count == 0 ? 60
                                                               : due - now();
        struct pollfd polled[2] = { { connection, POLLIN, 0 },
                                    { fifo, POLLIN, 0 } };
        int milliseconds = wait > 0 ? (int)(wait * 1000) + 1 : 0;
        if (poll(polled, 2, milliseconds) < 0 && errno != EINTR)
            fail("poll");
        if (polled[1].revents)
            obey_lines(fifo);
        if (polled[0].revents)
            serve_request();
        else if (waiting_count > 0 && until_silence != 0 && now() >= due)
            send_piece();
    }
}
