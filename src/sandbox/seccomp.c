/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/cleanup.h"

#ifdef V2V_HAVE_SECCOMP

#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* An argument that decides: the call is for it when (argument & mask) ==
 * value. */
struct condition {
    bool holds; /* false: there is none */
    unsigned argument;
    uint64_t mask, value;
};

struct rule {
    int call;
    struct condition condition;
    bool traps; /* SIGSYS that can be caught */
};

#define ANY                                                                    \
    {                                                                          \
        0                                                                      \
    }
#define WITHOUT(argument, mask)                                                \
    {                                                                          \
        true, (argument), (mask), 0                                            \
    }
#define ONLY(argument, value)                                                  \
    {                                                                          \
        true, (argument), 0xffffffff, (value)                                  \
    }

/* For libntfs-3g, libnbd, hivex and the C library below them. */
static const struct rule worker_rules[] = {
    /* what is open */
    { SCMP_SYS(read), ANY, false },
    { SCMP_SYS(readv), ANY, false },
    { SCMP_SYS(pread64), ANY, false },
    { SCMP_SYS(write), ANY, false },
    { SCMP_SYS(writev), ANY, false },
    { SCMP_SYS(pwrite64), ANY, false },
    { SCMP_SYS(lseek), ANY, false },
    { SCMP_SYS(fstat), ANY, false },
    { SCMP_SYS(close), ANY, false },
    { SCMP_SYS(poll), ANY, false },
    { SCMP_SYS(ppoll), ANY, false },
    { SCMP_SYS(fcntl), ONLY(1, F_GETFD), false },
    { SCMP_SYS(fcntl), ONLY(1, F_SETFD), false },
    { SCMP_SYS(fcntl), ONLY(1, F_GETFL), false },
    { SCMP_SYS(fcntl), ONLY(1, F_SETFL), false },
    { SCMP_SYS(recvfrom), ANY, false },
    { SCMP_SYS(recvmsg), ANY, false },
    { SCMP_SYS(sendto), WITHOUT(4, UINT64_MAX), false }, /* no address */
    { SCMP_SYS(sendmsg), ANY, false },
    { SCMP_SYS(getsockopt), ANY, false },
    { SCMP_SYS(shutdown), ANY, false },
    /* memory, none of which can be executed */
    { SCMP_SYS(brk), ANY, false },
    { SCMP_SYS(mmap), WITHOUT(2, PROT_EXEC), false },
    { SCMP_SYS(mprotect), WITHOUT(2, PROT_EXEC), false },
    { SCMP_SYS(mremap), ANY, false },
    { SCMP_SYS(munmap), ANY, false },
    { SCMP_SYS(madvise), ANY, false },
    { SCMP_SYS(futex), ANY, false },
    /* itself */
    { SCMP_SYS(rt_sigaction), ANY, false },
    { SCMP_SYS(rt_sigprocmask), ANY, false },
    { SCMP_SYS(rt_sigreturn), ANY, false },
    { SCMP_SYS(restart_syscall), ANY, false },
    { SCMP_SYS(getpid), ANY, false },
    { SCMP_SYS(gettid), ANY, false },
    { SCMP_SYS(getuid), ANY, false },
    { SCMP_SYS(geteuid), ANY, false },
    { SCMP_SYS(getgid), ANY, false },
    { SCMP_SYS(getegid), ANY, false },
    { SCMP_SYS(getrandom), ANY, false },
    { SCMP_SYS(sched_yield), ANY, false },
    { SCMP_SYS(sysinfo), ANY, false }, /* qsort() of glibc: how much memory */
    { SCMP_SYS(clock_gettime), ANY, false },
    { SCMP_SYS(gettimeofday), ANY, false },
    { SCMP_SYS(time), ANY, false },
    { SCMP_SYS(exit), ANY, false },
    { SCMP_SYS(exit_group), ANY, false },
};

/* Besides; those of names are for reopen.c. */
static const struct rule file_rules[] = {
    { SCMP_SYS(memfd_create), ANY, false },
    { SCMP_SYS(ftruncate), ANY, false },
    { SCMP_SYS(fcntl), ONLY(1, F_DUPFD_CLOEXEC), false },
    { SCMP_SYS(openat), ANY, true },
    { SCMP_SYS(newfstatat), ANY, true },
};

/* Landlock knows files and TCP; io_uring would be a way around this. */
static const struct rule program_rules[] = {
    { SCMP_SYS(socket), ANY, false },
    { SCMP_SYS(socketpair), ANY, false },
    { SCMP_SYS(connect), ANY, false },
    { SCMP_SYS(io_uring_setup), ANY, false },
    { SCMP_SYS(ptrace), ANY, false },
    { SCMP_SYS(process_vm_readv), ANY, false },
    { SCMP_SYS(process_vm_writev), ANY, false },
    { SCMP_SYS(pidfd_getfd), ANY, false },
    { SCMP_SYS(bpf), ANY, false },
    { SCMP_SYS(userfaultfd), ANY, false },
    { SCMP_SYS(perf_event_open), ANY, false },
    { SCMP_SYS(keyctl), ANY, false },
    { SCMP_SYS(mount), ANY, false },
    { SCMP_SYS(unshare), ANY, false },
};

struct rules {
    const struct rule *items;
    size_t count;
};

#define RULES(table)                                                           \
    {                                                                          \
        (table), sizeof(table) / sizeof *(table)                               \
    }

static const struct {
    struct rules rules, more;
    uint32_t otherwise, matching;
} policies[] = {
    [SECCOMP_WORKER] = { RULES(worker_rules),
                         { 0 },
                         SCMP_ACT_KILL_PROCESS,
                         SCMP_ACT_ALLOW },
    [SECCOMP_WORKER_FILES] = { RULES(worker_rules), RULES(file_rules),
                               SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW },
    /* as if the kernel had none: QEMU goes on without */
    [SECCOMP_PROGRAM] = { RULES(program_rules),
                          { 0 },
                          SCMP_ACT_ALLOW,
                          SCMP_ACT_ERRNO(ENOSYS) },
};

static int
add_rule(scmp_filter_ctx ctx, uint32_t action, const struct rule *rule)
{
    const struct condition *c = &rule->condition;
    const struct scmp_arg_cmp compare = { .arg = c->argument,
                                          .op = SCMP_CMP_MASKED_EQ,
                                          .datum_a = c->mask,
                                          .datum_b = c->value };

    return seccomp_rule_add_array(ctx, rule->traps ? SCMP_ACT_TRAP : action,
                                  rule->call, c->holds ? 1 : 0, &compare);
}

static int
add_rules(scmp_filter_ctx ctx, uint32_t action, const struct rules *rules)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < rules->count; i++)
        rc = add_rule(ctx, action, &rules->items[i]);
    return rc;
}

/* As a program of the kernel's, through a file in memory: libseccomp knows no
 * other way. */
static int export(scmp_filter_ctx ctx, struct seccomp_filter *ret)
{
    V2V_AUTO(fd) int fd = memfd_create("seccomp", MFD_CLOEXEC);
    V2V_AUTO(mem) struct sock_filter *code = NULL;
    struct stat st;

    if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0)
        return -1;
    code = malloc((size_t)st.st_size);
    if (code == NULL ||
        pread(fd, code, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
        return -1;
    ret->code = v2v_steal(code);
    ret->count = (unsigned short)((size_t)st.st_size / sizeof *code);
    return 0;
}

static int
make(enum seccomp_policy policy, struct seccomp_filter *ret)
{
    scmp_filter_ctx ctx = seccomp_init(policies[policy].otherwise);
    int rc = 0;

    errno = ENOMEM;
    if (ctx == NULL)
        return -1;
    /* of another architecture, as 32-bit calls of a 64-bit process */
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (rc == 0)
        rc = add_rules(ctx, policies[policy].matching, &policies[policy].rules);
    if (rc == 0)
        rc = add_rules(ctx, policies[policy].matching, &policies[policy].more);
    if (rc < 0)
        errno = -rc;
    if (rc == 0)
        rc = export(ctx, ret);
    seccomp_release(ctx);
    return rc < 0 ? -1 : 0;
}

/* A kernel without takes no notice of the address. */
static bool
kernel_has_filters(void)
{
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 &&
           errno == EFAULT;
}

int
seccomp_make(enum seccomp_policy policy, struct seccomp_filter *ret)
{
    if (kernel_has_filters())
        return make(policy, ret);
    errno = ENOSYS;
    return -1;
}

#else

int
seccomp_make(enum seccomp_policy policy, struct seccomp_filter *ret)
{
    (void)policy;
    (void)ret;
    errno = ENOSYS;
    return -1;
}

#endif

int
seccomp_enter(const struct seccomp_filter *filter)
{
    const struct sock_fprog program = { .len = filter->count,
                                        .filter = filter->code };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

void
seccomp_done(struct seccomp_filter *filter)
{
    free(filter->code);
    *filter = (struct seccomp_filter){ 0 };
}
