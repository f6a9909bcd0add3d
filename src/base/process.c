/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

pid_t
v2v_fork(void (*child)(void *opaque), void *opaque)
{
    sigset_t all, before;
    pid_t pid;
    int why;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    why = errno;
    if (pid == 0) {
        child(opaque);
        abort();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return pid;
}

int
v2v_default_signals(void)
{
    struct sigaction action;
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
            signal(number, SIG_DFL);
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

int
v2v_die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    if (getppid() == parent)
        return 0;
    errno = ESRCH;
    return -1;
}

bool
v2v_ends_within(pid_t pid, int milliseconds)
{
    const struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < milliseconds; i++) {
        siginfo_t info = { 0 };

        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
            info.si_pid != 0)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

int
v2v_reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}
