/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Where a system call's first three arguments are when it traps, and where its
 * result goes.  Source: syscall(2), "Architecture calling conventions". */
#if defined __x86_64__ && defined __LP64__
#define HAVE_REGISTERS
#define FIRST(context) ((context)->uc_mcontext.gregs[REG_RDI])
#define SECOND(context) ((context)->uc_mcontext.gregs[REG_RSI])
#define THIRD(context) ((context)->uc_mcontext.gregs[REG_RDX])
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined __aarch64__
#define HAVE_REGISTERS
#define FIRST(context) ((context)->uc_mcontext.regs[0])
#define SECOND(context) ((context)->uc_mcontext.regs[1])
#define THIRD(context) ((context)->uc_mcontext.regs[2])
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

#ifdef HAVE_REGISTERS

/* The number of "/proc/self/fd/N", or -1. */
static int
number_of(const char *path)
{
    static const char prefix[] = "/proc/self/fd/";
    int number = 0;

    if (strncmp(path, prefix, sizeof prefix - 1) != 0)
        return -1;
    path += sizeof prefix - 1;
    if (*path == '\0')
        return -1;
    for (; *path != '\0'; path++) {
        if (*path < '0' || *path > '9' || number > 99999)
            return -1;
        number = number * 10 + (*path - '0');
    }
    return number;
}

/* As the system call: a descriptor, or the negative of an errno. */
static int
reopen(int number, int flags)
{
    int fd = fcntl(number, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return errno == EBADF ? -ENOENT : -errno; /* of such a name */
    if (lseek(fd, 0, SEEK_SET) == 0
            ? (flags & O_TRUNC) == 0 || ftruncate(fd, 0) == 0
            : errno == ESPIPE)
        return fd;
    close(fd);
    return -EACCES;
}

/* It is not on the list of those that are allowed: the end, by the same signal,
 * which is not caught then. */
static void
die(void)
{
    syscall(SYS_getppid);
}

/* The C library's open() is openat(), whose first argument means nothing to a
 * name that begins with '/'; its fstat() may be newfstatat() of "". */
static long
instead(int call, const ucontext_t *context)
{
    const char *path = (const char *)SECOND(context);
    int number = call == SYS_openat ? number_of(path) : -1;

    if (number >= 0)
        return reopen(number, (int)THIRD(context));
    if (call != SYS_newfstatat || *path != '\0')
        die();
    return syscall(SYS_fstat, FIRST(context), THIRD(context)) < 0 ? -errno : 0;
}

static void
on_call(int number, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    int before = errno;

    (void)number;
    RESULT(context) =
        (__typeof__(RESULT(context)))instead(info->si_syscall, context);
    errno = before;
}

int
reopen_catch(void)
{
    struct sigaction action = { .sa_sigaction = on_call,
                                .sa_flags = SA_SIGINFO };

    sigemptyset(&action.sa_mask);
    return sigaction(SIGSYS, &action, NULL);
}

#else

int
reopen_catch(void)
{
    errno = ENOSYS;
    return -1;
}

#endif
