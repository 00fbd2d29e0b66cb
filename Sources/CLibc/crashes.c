/* SPDX-License-Identifier: Apache-2.0 */
/* The last line of a process that ends by a signal of its own. */
#include "clibc.h"

static int is_sealed;

static void say(const char *text) {
    ssize_t written = write(2, text, strlen(text));
    (void)written;
}

/* The allocation that was refused last has left its mark in errno: Swift ends
 * a process at once when it gets no memory. */
static void on_crash(int number) {
    if (errno == ENOMEM) {
        say(is_sealed ? "ocellus: ended: it needed more memory than it was "
                        "sealed with; start it again (Restart=on-failure in a "
                        "service); if it ends again: without --seal, and "
                        "please report it\n"
                      : "ocellus: ended: there is not enough memory\n");
        _exit(71);
    }
    if (is_sealed) {
        say("ocellus: ended: it found a mistake in itself; please report it, "
            "with what it says without --seal\n");
        _exit(70);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void clibc_begin_program(void) {
    /* A file that may not grow is an error of write, and not the end. */
    signal(SIGXFSZ, SIG_IGN);
    clibc_tell_crashes(0);
}

void clibc_tell_crashes(int sealed) {
    static const int signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS};
    struct sigaction action = {.sa_handler = on_crash};
    sigemptyset(&action.sa_mask);
    is_sealed = sealed;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}
