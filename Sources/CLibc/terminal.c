/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that has the whole screen of its terminal, and gives it back
 * however it ends.
 */
#include "clibc.h"
#include <sys/ioctl.h>
#include <termios.h>

/* The other screen, no cursor, empty. */
static const char enter[] = "\033[?1049h\033[?25l\033[2J";
/* Ends what may have been cut off; then the opposite of the above. */
static const char leave[] = "\033\\\033[?2026l\033[0m\033[?25h\033[?1049l";

/* Handlers read these: written before the handlers are installed. */
static volatile sig_atomic_t taken;
/* The screen is ours now: not while the program is in the background. */
static volatile sig_atomic_t shown;
static int input = -1;
static int output = -1;
static struct termios before;
static int has_input;
/* What others write to standard error would disturb the screen: it waits here. */
static int notes[2] = {-1, -1};
static int standard_error = -1;

static const int ending_signals[] = {SIGHUP,  SIGQUIT, SIGABRT, SIGSEGV,
                                     SIGBUS,  SIGILL,  SIGTRAP, SIGFPE};

static void send(const char *text, size_t count) {
    ssize_t written = write(output, text, count);
    (void)written;
}

/* A background process may not change its terminal: SIGTTOU would stop it. */
static int is_background(int terminal) {
    /* -1: not the terminal of our session, where everybody may do all. */
    pid_t foreground = tcgetpgrp(terminal);
    return foreground >= 0 && foreground != getpgrp();
}

static void begin(void) {
    if (is_background(output) || is_background(input)) return;
    shown = 1;
    has_input = tcgetattr(input, &before) == 0;
    if (has_input) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
        tcsetattr(input, TCSANOW, &quiet);
    }
    if (standard_error >= 0) dup2(notes[1], STDERR_FILENO);
    send(enter, sizeof enter - 1);
}

static void end(void) {
    if (!shown) return;
    shown = 0;
    send(leave, sizeof leave - 1);
    /* What was typed is not for the shell. */
    if (has_input) tcsetattr(input, TCSAFLUSH, &before);
    if (standard_error < 0) return;
    dup2(standard_error, STDERR_FILENO);
    char unread[512];
    ssize_t count;
    while ((count = read(notes[0], unread, sizeof unread)) > 0)
        count = write(STDERR_FILENO, unread, (size_t)count);
}

/* Notes that nobody reads are lost when the pipe is full; nobody waits. */
static void hold_notes(void) {
    if (!isatty(STDERR_FILENO) || pipe2(notes, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (standard_error >= 0) return;
    close(notes[0]);
    close(notes[1]);
}

static void give_notes_back(void) {
    if (standard_error < 0) return;
    close(notes[0]);
    close(notes[1]);
    close(standard_error);
    standard_error = -1;
}

static void set_action(int signal_number, void (*action)(int)) {
    struct sigaction wanted = {.sa_handler = action, .sa_flags = SA_RESTART};
    sigemptyset(&wanted.sa_mask);
    sigaction(signal_number, &wanted, NULL);
}

/* All of it is in signal-safety(7), here and below. */
void clibc_terminal_end(int signal_number) {
    if (taken) end();
    taken = 0;
    set_action(signal_number, SIG_DFL);
    raise(signal_number);
}

static void on_pause(int signal_number) {
    int error = errno;
    sigset_t only;
    end();
    set_action(signal_number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, signal_number);
    raise(signal_number);
    /* Stops here, until somebody continues the program. */
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    sigprocmask(SIG_BLOCK, &only, NULL);
    set_action(signal_number, on_pause);
    begin();
    errno = error;
}

int clibc_terminal_take(int in, int out) {
    if (taken || !isatty(out)) return -1;
    input = in;
    output = out;
    hold_notes();
    taken = 1;
    for (size_t i = 0; i < sizeof ending_signals / sizeof *ending_signals; i++)
        set_action(ending_signals[i], clibc_terminal_end);
    set_action(SIGTSTP, on_pause);
    /* If the user sends us to the background between a look and a change. */
    set_action(SIGTTOU, SIG_IGN);
    begin();
    return 0;
}

int clibc_terminal_show(void) {
    if (taken && !shown) begin();
    if (shown && is_background(output)) {
        /* Paused by force, and continued there: the shell has the terminal. */
        shown = 0;
        if (standard_error >= 0) dup2(standard_error, STDERR_FILENO);
    }
    return shown;
}

void clibc_terminal_release(void) {
    if (!taken) return;
    end();
    taken = 0;
    give_notes_back();
    set_action(SIGTSTP, SIG_DFL);
    set_action(SIGTTOU, SIG_DFL);
    for (size_t i = 0; i < sizeof ending_signals / sizeof *ending_signals; i++)
        set_action(ending_signals[i], SIG_DFL);
}

size_t clibc_terminal_notes(char *text, size_t size) {
    if (!taken || standard_error < 0) return 0;
    ssize_t count = read(notes[0], text, size);
    return count > 0 ? (size_t)count : 0;
}

int clibc_terminal_is_taken(void) { return taken; }

int clibc_terminal_size(int descriptor, int *columns, int *rows, int *width,
                        int *height) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return -1;
    *columns = size.ws_col;
    *rows = size.ws_row;
    *width = size.ws_xpixel;
    *height = size.ws_ypixel;
    return 0;
}
