/* SPDX-License-Identifier: Apache-2.0 */
/* The last line of a process that ends by a signal of its own. */
#include "clibc.h"

static int is_sealed;
/* Whether the stack is about to grow; a signal tells that it cannot. */
static volatile sig_atomic_t is_growing;
/* Where the last line is said from: the stack may be what is short. */
static char own_stack[16 << 10];

static void say(const char *text) {
    ssize_t written = write(2, text, strlen(text));
    (void)written;
}

/* The allocation that was refused last has left its mark in errno: Swift ends
 * a process at once when it gets no memory. */
static void on_crash(int number) {
    int lacks_memory = errno == ENOMEM || is_growing;
    if (lacks_memory || is_sealed)
        say(program_invocation_short_name);
    if (lacks_memory) {
        say(is_sealed ? ": ended: it needed more memory than it was sealed "
                        "with; start it again (Restart=on-failure in a "
                        "service); if it ends again: without --seal, and "
                        "please report it\n"
                      : ": ended: there is not enough memory\n");
        _exit(71);
    }
    if (is_sealed) {
        say(": ended: it found a mistake in itself; please report it, with "
            "what it says without --seal\n");
        _exit(70);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void clibc_begin_program(void) {
    /* A file that may not grow is an error of write, and not the end. */
    signal(SIGXFSZ, SIG_IGN);
    clibc_tell_crashes(0);
    is_growing = 1;
    clibc_grow_stack();
    is_growing = 0;
}

void clibc_outlive_readers(void) { signal(SIGPIPE, SIG_IGN); }

void clibc_tell_crashes(int sealed) {
    static const int signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS};
    const stack_t stack = {.ss_sp = own_stack, .ss_size = sizeof own_stack};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaltstack(&stack, NULL);
    is_sealed = sealed;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}
