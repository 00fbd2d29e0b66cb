/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for descriptors, and the signals that ask a program to stop. */
#include "clibc.h"
#include <sys/eventfd.h>

/* poll leaves out a negative descriptor. */
int clibc_wait_readable(int first, int second, int third,
                        long long timeout_nanoseconds) {
    struct pollfd polled[3] = {
        {.fd = first, .events = POLLIN},
        {.fd = second, .events = POLLIN},
        {.fd = third, .events = POLLIN},
    };
    long long deadline = clibc_monotonic_nanoseconds() + timeout_nanoseconds;
    while (1) {
        struct timespec rest = {0, 0};
        if (timeout_nanoseconds > 0) {
            long long left = deadline - clibc_monotonic_nanoseconds();
            if (left < 0) left = 0;
            rest.tv_sec = (time_t)(left / 1000000000);
            rest.tv_nsec = (long)(left % 1000000000);
        }
        int count =
            ppoll(polled, 3, timeout_nanoseconds < 0 ? NULL : &rest, NULL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        return (polled[0].revents != 0) | (polled[1].revents != 0) << 1 |
               (polled[2].revents != 0) << 2;
    }
}

int clibc_event_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void clibc_event_raise(int descriptor) {
    int error = errno;
    unsigned long long one = 1;
    /* Fails only if the event was raised 2^64 - 2 times. */
    ssize_t written = write(descriptor, &one, sizeof one);
    (void)written;
    errno = error;
}

/* A handler reads it: written before the handler is installed. */
static volatile sig_atomic_t stop_event = -1;
static const int stop_signals[] = {SIGINT, SIGTERM};

static void set_stop_action(void (*action)(int), int only_if_not_ignored) {
    struct sigaction wanted = {.sa_handler = action, .sa_flags = SA_RESTART};
    sigemptyset(&wanted.sa_mask);
    for (int i = 0; i < 2; i++) {
        struct sigaction now;
        /* A shell starts background jobs with SIGINT ignored. */
        if (only_if_not_ignored && sigaction(stop_signals[i], NULL, &now) == 0 &&
            now.sa_handler == SIG_IGN)
            continue;
        sigaction(stop_signals[i], &wanted, NULL);
    }
}

/* Calls only what signal-safety(7) lists: sigaction and write. */
static void on_stop_signal(int signal_number) {
    (void)signal_number;
    set_stop_action(clibc_terminal_is_taken() ? clibc_terminal_end : SIG_DFL, 0);
    clibc_event_raise(stop_event);
}

void clibc_stop_signals_raise(int descriptor) {
    stop_event = descriptor;
    set_stop_action(on_stop_signal, 1);
}

void clibc_stop_signals_default(int descriptor) {
    if (stop_event != descriptor) return;
    set_stop_action(SIG_DFL, 1);
    stop_event = -1;
}
