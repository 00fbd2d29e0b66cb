/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that keep a process at the memory that it has. */
#include "clibc.h"
#include <malloc.h>

/* A line of /proc/self/status such as "VmData:     1234 kB", in bytes. */
static size_t status_bytes(const char *name) {
    char line[256];
    size_t kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoul(line + strlen(name), NULL, 10);
    fclose(file);
    return kilobytes << 10;
}

static int limit(int resource, size_t bytes) {
    struct rlimit now, wanted = {bytes, bytes};
    if (getrlimit(resource, &now) != 0) return errno;
    /* A limit that is lower already stays. */
    if (now.rlim_max < wanted.rlim_max)
        wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
    return setrlimit(resource, &wanted) == 0 ? 0 : errno;
}

int clibc_seal_memory(size_t reserve, size_t device_bytes, size_t *data_bytes) {
    clibc_grow_stack();
    /* The heap grows in one piece, and keeps what is freed. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 0);
    /* Volatile: a compiler may leave out what is only freed. */
    void *volatile block = malloc(reserve);
    if (block == NULL) return ENOMEM;
    free(block);
    *data_bytes = status_bytes("VmData:");
    size_t all_bytes = status_bytes("VmSize:");
    if (*data_bytes == 0 || all_bytes == 0) return ENOENT;
    int error = limit(RLIMIT_DATA, *data_bytes);
    if (error == 0) error = limit(RLIMIT_AS, all_bytes + device_bytes);
    if (error == 0) error = limit(RLIMIT_CORE, 0);
    return error;
}
