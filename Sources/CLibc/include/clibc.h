/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything of libc and POSIX that the runtime uses, as one module that
 * imports the same way in the hosted and in the embedded build (Embedded
 * Swift has no Glibc module).
 */
#ifndef OCELLUS_CLIBC_H
#define OCELLUS_CLIBC_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What Swift cannot import: variadic functions, errno, macros with casts. */
static inline int clibc_open(const char *path, int flags, mode_t mode) {
    return open(path, flags, mode);
}
static inline int clibc_openat(int folder, const char *path, int flags,
                               mode_t mode) {
    return openat(folder, path, flags, mode);
}

/* Tells Swift's compiler what it cannot see: no allocation, no lock. */
#define CLIBC_REALTIME                                                         \
    __attribute__((swift_attr("@_noAllocation"), swift_attr("@_noLocks")))

CLIBC_REALTIME
static inline long long clibc_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
/* The time that the calling thread has had a processor. */
CLIBC_REALTIME
static inline long long clibc_thread_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
/* Since 1970. */
CLIBC_REALTIME
static inline long long clibc_realtime_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
CLIBC_REALTIME
static inline float clibc_exp(float x) { return expf(x); }
CLIBC_REALTIME
static inline float clibc_log(float x) { return logf(x); }

static inline int clibc_errno(void) { return errno; }
static inline void *clibc_map_failed(void) { return MAP_FAILED; }
static inline FILE *clibc_stdout(void) { return stdout; }
static inline FILE *clibc_stderr(void) { return stderr; }
static inline int clibc_is_file(mode_t mode) { return S_ISREG(mode); }
static inline int clibc_is_folder(mode_t mode) { return S_ISDIR(mode); }
static inline const char *clibc_entry_name(const struct dirent *entry) {
    return entry->d_name;
}
/* A pipe that programs started later do not inherit. */
static inline int clibc_pipe(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}
static inline int clibc_exited(int status) { return WIFEXITED(status); }
static inline int clibc_exit_status(int status) { return WEXITSTATUS(status); }
static inline char *const *clibc_environment(void) {
    extern char **environ;
    return environ;
}

/*
 * Waits until one of up to three descriptors can be read, has ended or failed;
 * negative ones are left out. Returns a bit per descriptor (1, 2, 4), 0 after
 * the timeout (negative: none), -1 with errno. Goes on after a signal.
 */
int clibc_wait_readable(int first, int second, int third,
                        long long timeout_nanoseconds);

/* A descriptor that can be read once it was raised: an eventfd. */
int clibc_event_open(void);
/* Raises an event; may be called by a signal handler. */
void clibc_event_raise(int descriptor);

/*
 * From now on SIGINT and SIGTERM raise this event instead of ending the
 * program; a second signal has its default action again, and ends it. A signal
 * that is ignored stays so.
 */
void clibc_stop_signals_raise(int descriptor);
/* The signals end the program again, if they raise this event now. */
void clibc_stop_signals_default(int descriptor);

/*
 * Starts a program that is looked up in PATH, without a shell. Its standard
 * input is a text of at most PIPE_BUF bytes, or empty (NULL); its signals are
 * as if a shell had started it. Returns 0, or an error number.
 */
int clibc_child_start(const char *input, char *const arguments[],
                      char *const environment[], int output, int errors,
                      pid_t *child);
/* As waitpid and kill, for a child that was started so. */
pid_t clibc_child_wait(pid_t child, int *status, int options);
int clibc_child_signal(pid_t child, int number);
/*
 * Forks a helper that does the three from now on. Once it is locked it starts
 * only command lines that were declared, each with its input. To be called by
 * the only thread. Return 0, or an error number.
 */
int clibc_helper_start(void);
int clibc_child_declare(const char *input, char *const arguments[]);
int clibc_helper_lock(void);

/*
 * Gives back the memory that only the start has used: pages of code and
 * constants, of libraries too, which come back from the page cache where they
 * are used again, and free pages of the heap.
 */
void clibc_give_back_start(void);

/* The version of Landlock that the kernel has; 0 for none. */
int clibc_landlock_version(void);
enum clibc_landlock_use {
    CLIBC_READ_FILES,
    CLIBC_WRITE_FILES, /* and create, rename and remove them */
    CLIBC_USE_DEVICES
};
/* A set of paths; -1 with errno. */
int clibc_landlock_begin(void);
/* Adds what lies beneath a path, or the file. Returns 0, or an error number. */
int clibc_landlock_allow(int ruleset, const char *path,
                         enum clibc_landlock_use use);
/* What both programs want of signals and of their stack, at their start. */
void clibc_begin_program(void);
/* From now on to write to a pipe that nobody reads is an error, EPIPE. */
void clibc_outlive_readers(void);
/* Lets the stack of this thread grow now, since later there may be no room: its
 * addresses stay, its pages are given back. */
void clibc_grow_stack(void);

/*
 * From now on a crash for want of memory is told in one line, and exits with 71;
 * if `sealed`, any other one too, with 70.
 */
void clibc_tell_crashes(int sealed);

/*
 * From now on this thread, and those that it starts, open only what is in the
 * set, and the set is closed. Returns 0, or an error number.
 */
int clibc_landlock_end(int ruleset);

/*
 * Limits the process to the memory that it has now and `reserve` bytes of heap;
 * `device_bytes` more may be mapped from devices. Returns 0, or an error
 * number; `data_bytes` gets the limit of writable memory.
 */
int clibc_seal_memory(size_t reserve, size_t device_bytes, size_t *data_bytes);

/*
 * Refuses what is not needed after the start, to all threads: other programs,
 * new code, sockets, higher limits; opening files, unless `may_open`. Returns
 * 0, or an error number.
 */
int clibc_seal_calls(int may_open);

/*
 * Takes the whole screen of a terminal: the other screen, no cursor, no echo.
 * It is given back by clibc_terminal_release, while the program is paused, and
 * by every signal that ends the program. 0, or -1 if out is no terminal. In the
 * background nothing is taken before clibc_terminal_show finds the program in
 * the foreground.
 *
 * Until then, what is written to standard error is held back if that is a
 * terminal too; clibc_terminal_notes reads it, and what was not read follows
 * when the terminal is given back.
 */
int clibc_terminal_take(int in, int out);
void clibc_terminal_release(void);
/* Whether the screen is ours now; takes it if it can be. */
int clibc_terminal_show(void);
size_t clibc_terminal_notes(char *text, size_t size);
int clibc_terminal_is_taken(void);
/* A signal handler that gives the terminal back and ends the program. */
void clibc_terminal_end(int signal_number);
/* The size in cells, and in pixels (0: unknown); 0, or -1 if it has none. */
int clibc_terminal_size(int descriptor, int *columns, int *rows, int *width,
                        int *height);

/* The program's arguments: Embedded Swift has no CommandLine. */
int clibc_argument_count(void);
/* Overwrites an argument, or what follows its equals sign, where ps looks. */
void clibc_argument_hide(const char *argument, const char *shown);
char **clibc_arguments(void);

/* Whether there is such a core, and the calling thread may run on it. */
int clibc_may_use_core(int core);
/* How many cores the calling thread may run on. */
int clibc_core_count(void);

#endif
