/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that are started, waited for and ended: by this process, or, once
 * it is to be sealed, by a small helper process that was forked before and is
 * not. A child inherits limits and filters, so a sealed process could start
 * nothing that works. The helper starts only the command lines that it was
 * told before it was locked.
 */
#include "clibc.h"
#include <limits.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { TEXT_LIMIT = 64 << 10, DECLARED_LIMIT = 8, CHILD_LIMIT = 32 };
enum operation { START, DECLARE, LOCK, WAIT, SIGNAL };

struct request {
    int operation;
    pid_t child;
    int value; /* waitpid's options, or a signal */
    /* Texts with their zeros, at the start: standard input, the arguments. */
    unsigned argument_bytes;
    unsigned environment_bytes; /* behind them */
};

struct reply {
    int result; /* as the function returns it */
    int error;
    pid_t child;
    int status;
};

/* The socket to the helper; -1 without one. */
static int helper = -1;
static pthread_mutex_t helper_mutex = PTHREAD_MUTEX_INITIALIZER;

/* A pipe that holds a text already; returns its reading end, or -1. */
static int filled_pipe(const char *text) {
    int ends[2];
    size_t bytes = strlen(text);
    if (bytes > PIPE_BUF) { /* more might wait for a reader */
        errno = E2BIG;
        return -1;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    ssize_t written = write(ends[1], text, bytes);
    close(ends[1]);
    if (written == (ssize_t)bytes) return ends[0];
    close(ends[0]);
    return -1;
}

static int start_here(const char *input, char *const arguments[],
                      char *const environment[], int output, int errors,
                      pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults, blocked;

    int given = -1;
    if (input != NULL && *input != 0 && (given = filled_pipe(input)) < 0)
        return errno;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        if (given >= 0) close(given);
        return ENOMEM;
    }
    posix_spawnattr_init(&attributes);
    /* Programs expect the defaults: one that ignores SIGPIPE would write on
       after its reader left. */
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGTERM);
    sigaddset(&defaults, SIGTTOU);
    sigemptyset(&blocked);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &blocked);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int error = given >= 0
                    ? posix_spawn_file_actions_adddup2(&actions, given, 0)
                    : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
                                                       O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (error == 0)
        error = posix_spawnp(child, arguments[0], &actions, &attributes,
                             arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (given >= 0) close(given);
    return error;
}

/* ---- the helper's side ---- */

struct helper_state {
    int is_locked;
    int declared_count;
    unsigned declared_bytes[DECLARED_LIMIT];
    char *declared[DECLARED_LIMIT];
    int child_count;
    pid_t children[CHILD_LIMIT];
};

static int is_declared(const struct helper_state *state, const char *text,
                       unsigned bytes) {
    for (int i = 0; i < state->declared_count; i++)
        if (state->declared_bytes[i] == bytes &&
            memcmp(state->declared[i], text, bytes) == 0)
            return 1;
    return 0;
}

static int declare_there(struct helper_state *state, const char *text,
                         unsigned bytes) {
    if (is_declared(state, text, bytes)) return 0;
    if (state->is_locked) return EPERM;
    if (state->declared_count == DECLARED_LIMIT) return ENOSPC;
    char *copy = malloc(bytes);
    if (copy == NULL) return ENOMEM;
    memcpy(copy, text, bytes);
    state->declared[state->declared_count] = copy;
    state->declared_bytes[state->declared_count++] = bytes;
    return 0;
}

/* Splits texts that end with zeros; returns how many fitted. */
static int split(char *text, unsigned bytes, char *parts[], int limit) {
    int count = 0;
    for (char *end = text + bytes; text < end && count < limit;) {
        parts[count++] = text;
        text += strlen(text) + 1;
    }
    return count;
}

static int start_there(struct helper_state *state, const struct request *asked,
                       char *text, const int pipes[2], pid_t *child) {
    static char *arguments[512], *environment[1024];
    if (state->is_locked && !is_declared(state, text, asked->argument_bytes))
        return EPERM;
    if (state->child_count == CHILD_LIMIT) return EAGAIN;
    int count = split(text, asked->argument_bytes, arguments, 511);
    if (count < 2) return EINVAL;
    arguments[count] = NULL;
    count = split(text + asked->argument_bytes, asked->environment_bytes,
                  environment, 64);
    for (char **own = environ; *own != NULL && count < 1023; own++)
        environment[count++] = *own;
    environment[count] = NULL;
    int error = start_here(arguments[0], arguments + 1, environment,
                           pipes[0] < 0 ? 2 : pipes[0],
                           pipes[1] < 0 ? 2 : pipes[1], child);
    if (error == 0) state->children[state->child_count++] = *child;
    return error;
}

/* A process that is none of ours is not touched. */
static int child_index(const struct helper_state *state, pid_t child) {
    for (int i = 0; i < state->child_count; i++)
        if (state->children[i] == child) return i;
    return -1;
}

static void serve(struct helper_state *state, const struct request *asked,
                  char *text, const int pipes[2], struct reply *reply) {
    int index = child_index(state, asked->child);
    reply->child = asked->child;
    switch (asked->operation) {
    case START:
        reply->result = start_there(state, asked, text, pipes, &reply->child);
        break;
    case DECLARE:
        reply->result = declare_there(state, text, asked->argument_bytes);
        break;
    case LOCK: state->is_locked = 1; break;
    case WAIT:
        errno = ECHILD;
        reply->result = index < 0 ? -1
                                  : waitpid(asked->child, &reply->status,
                                            asked->value);
        reply->error = errno;
        if (reply->result > 0)
            state->children[index] = state->children[--state->child_count];
        break;
    case SIGNAL:
        errno = ESRCH;
        reply->result = index < 0 ? -1 : kill(asked->child, asked->value);
        reply->error = errno;
        break;
    default: reply->result = EINVAL;
    }
}

/* Answers until the other side has ended. */
static void help(int socket) {
    static char text[TEXT_LIMIT + 1];
    static struct helper_state state;
    while (1) {
        struct request asked;
        struct iovec parts[2] = {{&asked, sizeof asked}, {text, TEXT_LIMIT}};
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control;
        struct msghdr message = {.msg_iov = parts,
                                 .msg_iovlen = 2,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof control.bytes};
        ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) continue;
        if (got < (ssize_t)sizeof asked) break;
        int pipes[2] = {-1, -1};
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        if (rights != NULL && rights->cmsg_type == SCM_RIGHTS)
            memcpy(pipes, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
        struct reply reply = {0};
        size_t bytes = (size_t)got - sizeof asked;
        text[bytes] = 0;
        if ((size_t)asked.argument_bytes + asked.environment_bytes == bytes)
            serve(&state, &asked, text, pipes, &reply);
        else
            reply.result = EINVAL;
        for (int i = 0; i < 2; i++)
            if (pipes[i] >= 0) close(pipes[i]);
        if (send(socket, &reply, sizeof reply, MSG_NOSIGNAL) < 0) break;
    }
    /* A program that nobody listens to would go on for ever. */
    for (int i = 0; i < state.child_count; i++)
        kill(state.children[i], SIGTERM);
}

int clibc_helper_start(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    pid_t process = fork();
    if (process < 0) return errno;
    if (process == 0) {
        close(ends[0]);
        prctl(PR_SET_NAME, "ocellus-helper");
        /* It ends with the other side, which still has things to do then. */
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(nothing, 0);
        dup2(nothing, 1);
        help(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    helper = ends[0];
    return 0;
}

/* ---- this process's side ---- */

/* Appends texts with their zeros; returns the bytes, or TEXT_LIMIT + 1. */
static size_t append(char *out, size_t used, char *const texts[],
                     const char *until) {
    for (int i = 0; texts != NULL && texts[i] != NULL && texts[i] != until;
         i++) {
        size_t bytes = strlen(texts[i]) + 1;
        if (used + bytes > TEXT_LIMIT) return TEXT_LIMIT + 1;
        memcpy(out + used, texts[i], bytes);
        used += bytes;
    }
    return used;
}

static struct reply ask(struct request *request, const char *input,
                        char *const arguments[], char *const environment[],
                        const int pipes[2]) {
    static char text[TEXT_LIMIT];
    struct reply reply = {.result = E2BIG, .error = E2BIG};
    char *const first[] = {(char *)(input == NULL ? "" : input), NULL};
    pthread_mutex_lock(&helper_mutex);
    size_t middle = arguments == NULL ? 0 : append(text, 0, first, NULL);
    if (middle <= TEXT_LIMIT) middle = append(text, middle, arguments, NULL);
    /* What we inherited, the helper has, too. */
    size_t end = middle > TEXT_LIMIT
                     ? middle
                     : append(text, middle, environment, environ[0]);
    if (end <= TEXT_LIMIT) {
        request->argument_bytes = (unsigned)middle;
        request->environment_bytes = (unsigned)(end - middle);
        struct iovec parts[2] = {{request, sizeof *request}, {text, end}};
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control = {0};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        if (pipes != NULL) {
            message.msg_control = control.bytes;
            message.msg_controllen = sizeof control.bytes;
            struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(2 * sizeof(int));
            memcpy(CMSG_DATA(rights), pipes, 2 * sizeof(int));
        }
        ssize_t got = sendmsg(helper, &message, MSG_NOSIGNAL);
        while (got >= 0) {
            got = recv(helper, &reply, sizeof reply, 0);
            if (got >= 0 || errno != EINTR) break;
            got = 0;
        }
        if (got != (ssize_t)sizeof reply)
            reply = (struct reply){.result = EPIPE, .error = EPIPE};
    }
    pthread_mutex_unlock(&helper_mutex);
    return reply;
}

int clibc_child_start(const char *input, char *const arguments[],
                      char *const environment[], int output, int errors,
                      pid_t *child) {
    if (helper < 0)
        return start_here(input, arguments, environment, output, errors, child);
    struct request request = {.operation = START};
    int pipes[2] = {output, errors};
    struct reply reply = ask(&request, input, arguments, environment, pipes);
    *child = reply.child;
    return reply.result;
}

int clibc_child_declare(const char *input, char *const arguments[]) {
    if (helper < 0) return 0;
    struct request request = {.operation = DECLARE};
    return ask(&request, input, arguments, NULL, NULL).result;
}

int clibc_helper_lock(void) {
    if (helper < 0) return 0;
    struct request request = {.operation = LOCK};
    return ask(&request, NULL, NULL, NULL, NULL).result;
}

pid_t clibc_child_wait(pid_t child, int *status, int options) {
    if (helper < 0) return waitpid(child, status, options);
    struct request request = {
        .operation = WAIT, .child = child, .value = options};
    struct reply reply = ask(&request, NULL, NULL, NULL, NULL);
    *status = reply.status;
    if (reply.result == EPIPE && reply.error == EPIPE) reply.result = -1;
    errno = reply.error;
    return reply.result;
}

int clibc_child_signal(pid_t child, int number) {
    if (helper < 0) return kill(child, number);
    struct request request = {
        .operation = SIGNAL, .child = child, .value = number};
    struct reply reply = ask(&request, NULL, NULL, NULL, NULL);
    errno = reply.error;
    return reply.result == 0 ? 0 : -1;
}
