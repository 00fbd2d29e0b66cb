/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of system calls: the kernel's and libv4l2's. */
#include "cv4l2.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Non-blocking: a dequeue never waits, poll does. */
enum { OPEN_FLAGS = O_RDWR | O_NONBLOCK | O_CLOEXEC };

static int kernel_open(void *context, const char *path) {
    (void)context;
    return open(path, OPEN_FLAGS);
}

static int kernel_close(void *context, int fd) {
    (void)context;
    return close(fd);
}

static int kernel_ioctl(void *context, int fd, unsigned long request,
                        void *argument) {
    (void)context;
    return ioctl(fd, request, argument);
}

static void *kernel_map(void *context, int fd, size_t length, int64_t offset) {
    (void)context;
    return mmap64(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

static int kernel_unmap(void *context, void *start, size_t length) {
    (void)context;
    return munmap(start, length);
}

static int kernel_poll(void *context, struct pollfd *entries, int count,
                       int milliseconds) {
    (void)context;
    return poll(entries, (nfds_t)count, milliseconds);
}

static const struct cv4l2_calls kernel = {
    .open = kernel_open,
    .close = kernel_close,
    .ioctl = kernel_ioctl,
    .map = kernel_map,
    .unmap = kernel_unmap,
    .poll = kernel_poll,
};

const struct cv4l2_calls *cv4l2_kernel_calls(void) { return &kernel; }

/*
 * libv4l2's interface has not changed since its soname became .0 (2008), so
 * it is declared here: boards then need the library only, and only with a
 * camera that has no format of ours.
 */
static struct {
    int (*open)(const char *file, int flags, ...);
    int (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, ...);
    void *(*mmap)(void *start, size_t length, int protection, int flags,
                  int fd, int64_t offset);
    int (*munmap)(void *start, size_t length);
} symbols;

static int library_open(void *context, const char *path) {
    (void)context;
    return symbols.open(path, OPEN_FLAGS, 0);
}

static int library_close(void *context, int fd) {
    (void)context;
    return symbols.close(fd);
}

static int library_ioctl(void *context, int fd, unsigned long request,
                         void *argument) {
    (void)context;
    return symbols.ioctl(fd, request, argument);
}

static void *library_map(void *context, int fd, size_t length,
                         int64_t offset) {
    (void)context;
    return symbols.mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                        offset);
}

static int library_unmap(void *context, void *start, size_t length) {
    (void)context;
    return symbols.munmap(start, length);
}

static const struct cv4l2_calls library = {
    .open = library_open,
    .close = library_close,
    .ioctl = library_ioctl,
    .map = library_map,
    .unmap = library_unmap,
    .poll = kernel_poll,
};

static int library_is_loaded;

static void load_library(void) {
    void *handle = dlopen("libv4l2.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return;
    *(void **)&symbols.open = dlsym(handle, "v4l2_open");
    *(void **)&symbols.close = dlsym(handle, "v4l2_close");
    *(void **)&symbols.ioctl = dlsym(handle, "v4l2_ioctl");
    *(void **)&symbols.mmap = dlsym(handle, "v4l2_mmap");
    *(void **)&symbols.munmap = dlsym(handle, "v4l2_munmap");
    library_is_loaded = symbols.open && symbols.close && symbols.ioctl &&
                        symbols.mmap && symbols.munmap;
}

const struct cv4l2_calls *cv4l2_library_calls(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_library);
    return library_is_loaded ? &library : NULL;
}
