/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: from a call on, this thread and those that it starts can open
 * only what lies beneath declared paths (Linux 5.13 and later).
 *
 * The numbers are those of the kernel's interface, since a distribution's
 * headers may be older than its kernel; see landlock(7).
 */
#include "clibc.h"
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* The same on all architectures, as all numbers from 424 on. */
enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    VERSION_FLAG = 1,
    RULE_PATH_BENEATH = 1
};

enum {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,
    IOCTL_DEV = 1 << 15,
    /* Execute, write, read; what a rule for a file may have. */
    OF_FILES = 7 | TRUNCATE | IOCTL_DEV,
    CONNECT_AND_BIND_TCP = 3
};

struct ruleset {
    uint64_t files;
    uint64_t network;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int clibc_landlock_version(void) {
    long version = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
    return version < 0 ? 0 : (int)version;
}

/* All rights that a version of Landlock knows. */
static uint64_t rights(int version) {
    if (version >= 5) return (1 << 16) - 1;
    if (version >= 3) return (1 << 15) - 1;
    return version == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

int clibc_landlock_begin(void) {
    int version = clibc_landlock_version();
    struct ruleset ruleset = {rights(version),
                              version >= 4 ? CONNECT_AND_BIND_TCP : 0};
    return (int)syscall(CREATE_RULESET, &ruleset,
                        version >= 4 ? sizeof ruleset : sizeof(uint64_t), 0);
}

int clibc_landlock_allow(int ruleset, const char *path,
                         enum clibc_landlock_use use) {
    int parent = open(path, O_PATH | O_CLOEXEC);
    if (parent < 0) return errno;
    uint64_t allowed = READ_FILE | READ_DIR;
    if (use == CLIBC_USE_DEVICES) allowed |= WRITE_FILE | IOCTL_DEV;
    if (use == CLIBC_WRITE_FILES)
        allowed |= WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE;
    struct stat status;
    if (fstat(parent, &status) == 0 && !S_ISDIR(status.st_mode))
        allowed &= OF_FILES;
    allowed &= rights(clibc_landlock_version());
    struct path_rule rule = {allowed, parent};
    int error = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0
                    ? 0
                    : errno;
    close(parent);
    return error;
}

int clibc_landlock_end(int ruleset) {
    int error = 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(RESTRICT_SELF, ruleset, 0) != 0)
        error = errno;
    close(ruleset);
    return error;
}
