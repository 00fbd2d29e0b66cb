/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp: from a call on, all threads of this process are refused (EPERM)
 * what a program that looks at pictures never does.
 *
 * The numbers are those that the compiler's headers have for the architecture.
 */
#include "clibc.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define THIS_ARCHITECTURE AUDIT_ARCH_ARM
#endif

#ifdef THIS_ARCHITECTURE

#define FIELD(name) offsetof(struct seccomp_data, name)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))
/* Little endian, as all architectures above. */
#define LOW(argument) (FIELD(args) + 8 * (argument))
#define HIGH(argument) (LOW(argument) + 4)
#define ONLY_IF(condition, value, otherwise)                                   \
    BPF_JUMP(BPF_JMP | BPF_##condition | BPF_K, (value), 0, (otherwise))

#define UNLESS(condition, value, then)                                         \
    BPF_JUMP(BPF_JMP | BPF_##condition | BPF_K, (value), (then), 0)

/* Refused as it is. */
#define NEVER(name) ONLY_IF(JEQ, __NR_##name, 1), REFUSE(EPERM)
/* Refused if the argument has any of the bits; the number is loaded again. */
#define NEVER_WITH(name, argument, bits)                                       \
    ONLY_IF(JEQ, __NR_##name, 4), LOAD(LOW(argument)),                         \
        ONLY_IF(JSET, (bits), 1), REFUSE(EPERM), LOAD(FIELD(nr))

enum { PROT_EXECUTE = 4, A_THREAD = 0x00010000 };

/* Opening by path or handle: the first part, if there is nothing to open. */
static const struct sock_filter opening[] = {
#ifdef __NR_open
    NEVER(open), NEVER(creat),
#endif
    NEVER(openat),
#ifdef __NR_openat2
    NEVER(openat2),
#endif
};

static const struct sock_filter start[] = {
    LOAD(FIELD(arch)),
    UNLESS(JEQ, THIS_ARCHITECTURE, 1),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(FIELD(nr)),
#ifdef __x86_64__
    /* The x32 numbers would be a way around. */
    ONLY_IF(JGE, 0x40000000, 1),
    REFUSE(EPERM),
#endif
};

static const struct sock_filter rest[] = {
    /* Other programs, and looking into them. */
    NEVER(execve), NEVER(execveat),
#ifdef __NR_fork
    NEVER(fork), NEVER(vfork),
#endif
    /* libc then uses clone, whose flags can be looked at. */
    ONLY_IF(JEQ, 435 /* clone3 */, 1), REFUSE(ENOSYS),
    ONLY_IF(JEQ, __NR_clone, 4), LOAD(LOW(0)),
    UNLESS(JSET, A_THREAD, 1), REFUSE(EPERM), LOAD(FIELD(nr)),
    NEVER(ptrace), NEVER(process_vm_readv), NEVER(process_vm_writev),
    NEVER(kill), NEVER(pidfd_send_signal),
    /* Code that was not there at the start. */
    NEVER_WITH(mprotect, 2, PROT_EXECUTE),
    NEVER_WITH(pkey_mprotect, 2, PROT_EXECUTE),
#ifdef __NR_mmap2
    NEVER_WITH(mmap2, 2, PROT_EXECUTE),
#else
    NEVER_WITH(mmap, 2, PROT_EXECUTE),
#endif
    /* Memory and files by other ways. */
    NEVER(memfd_create), NEVER(userfaultfd), NEVER(shmget), NEVER(shmat),
    NEVER(open_by_handle_at), NEVER(io_uring_setup), NEVER(bpf),
    NEVER(perf_event_open),
    /* Higher limits: asking for them is fine. */
    NEVER(setrlimit), ONLY_IF(JEQ, __NR_prlimit64, 6), LOAD(LOW(2)),
    ONLY_IF(JEQ, 0, 2), LOAD(HIGH(2)), UNLESS(JEQ, 0, 1), REFUSE(EPERM),
    LOAD(FIELD(nr)),
    /* The network, and the rest of the system. */
    NEVER(socket), NEVER(connect), NEVER(bind), NEVER(listen),
    NEVER(mount), NEVER(umount2), NEVER(pivot_root), NEVER(chroot),
    NEVER(unshare), NEVER(setns), NEVER(init_module), NEVER(finit_module),
    NEVER(delete_module), NEVER(kexec_load), NEVER(reboot), NEVER(swapon),
    NEVER(add_key), NEVER(keyctl), NEVER(request_key),
    RETURN(SECCOMP_RET_ALLOW),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

int clibc_seal_calls(int may_open) {
    struct sock_filter filter[COUNT(start) + COUNT(opening) + COUNT(rest)];
    size_t count = COUNT(start);
    memcpy(filter, start, sizeof start);
    if (!may_open) {
        memcpy(filter + count, opening, sizeof opening);
        count += COUNT(opening);
    }
    memcpy(filter + count, rest, sizeof rest);
    count += COUNT(rest);
    struct sock_fprog program = {(unsigned short)count, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    long result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
                          SECCOMP_FILTER_FLAG_TSYNC, &program);
    /* A number above 0 is a thread that could not follow. */
    return result == 0 ? 0 : result < 0 ? errno : EBUSY;
}

#else

int clibc_seal_calls(int may_open) {
    (void)may_open;
    return ENOSYS;
}

#endif
