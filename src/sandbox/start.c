/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/process.h"
#include "sandbox/internal.h"
#include "sandbox/landlock.h"
#include "sandbox/reopen.h"
#include "sandbox/seccomp.h"

/* nobody and nogroup of all distributions, and the id that stands for those of
 * others in a user namespace: Linux Documentation/admin-guide/sysctl/fs.rst,
 * overflowuid. */
enum { NOBODY = 65534, FAILED = 127 };

/* In memory: one, and one name that it was opened by. */
enum { FILES_AT_ONCE = 2 };

/* What the child tells before it works. */
struct report {
    unsigned layers;
    int why; /* an errno: it is no sandbox at all */
};

/* Made before the fork. */
struct start {
    const struct sandbox_work *work;
    enum sandbox_mode mode;
    unsigned wanted;
    int fds[SANDBOX_FDS_MAX + 2]; /* ascending: the work's and our own */
    size_t fd_count;
    int null, out; /* out: the report */
    int rules;     /* of Landlock; -1: none */
    struct seccomp_filter filter;
    uint64_t memory; /* bytes of address space, ours included */
    pid_t parent;
};

/* In the child ------------------------------------------------------------- */

/* A kernel before 5.9 has no close_range(). */
static int
close_from_to(unsigned first, unsigned last)
{
    struct rlimit limit;

    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return 0;
    if (errno != ENOSYS || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; fd++)
        close((int)fd);
    return 0;
}

static int
keep_only(const struct start *s)
{
    unsigned next = STDERR_FILENO + 1;

    for (int i = 0; i <= STDERR_FILENO; i++)
        if (dup2(s->null, i) < 0)
            return -1;
    for (size_t i = 0; i < s->fd_count; i++) {
        unsigned fd = (unsigned)s->fds[i];

        if (close_from_to(next, fd - 1) < 0)
            return -1;
        next = fd + 1;
    }
    return close_from_to(next, UINT_MAX);
}

/* A user namespace may know no such id. */
static int
become_nobody(const struct start *s)
{
    (void)s;
    if (geteuid() != 0)
        return 0;
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0
               ? setresuid(NOBODY, NOBODY, NOBODY)
               : -1;
}

/* Nor may others of this user look into it (ptrace(2), PR_SET_DUMPABLE). */
static int
have_no_privileges(const struct start *s)
{
    (void)s;
    return sandbox_keep_capabilities(0) == 0 &&
                   prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
               ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
               : -1;
}

/* The hard limit of processor time is one more: at the soft one it dies of
 * SIGXCPU, at the hard one of SIGKILL, which says less. */
static int
set_limit(int resource, uint64_t value)
{
    const struct rlimit limit = { value,
                                  resource == RLIMIT_CPU ? value + 1 : value };

    return setrlimit((__rlimit_resource_t)resource, &limit);
}

/* No process more: of this user id, which only counts when it is not root. */
static int
limit(const struct start *s)
{
    unsigned above = (unsigned)s->fds[s->fd_count - 1] + 1;
    unsigned more = s->work->files > 0 ? FILES_AT_ONCE : 0;

    return set_limit(RLIMIT_AS, s->memory) == 0 &&
                   set_limit(RLIMIT_CPU, s->work->cpu_seconds) == 0 &&
                   set_limit(RLIMIT_NOFILE, above + more) == 0 &&
                   set_limit(RLIMIT_FSIZE, s->work->files) == 0 &&
                   set_limit(RLIMIT_CORE, 0) == 0
               ? set_limit(RLIMIT_NPROC, 0)
               : -1;
}

static int
enter_landlock(const struct start *s)
{
    return s->rules >= 0 ? landlock_enter(s->rules) : -1;
}

static int
enter_seccomp(const struct start *s)
{
    return s->filter.count > 0 && (s->work->files == 0 || reopen_catch() == 0)
               ? seccomp_enter(&s->filter)
               : -1;
}

/* In this order: each may need what the next takes away. */
static const struct {
    enum sandbox_layer layer;
    int (*enter)(const struct start *s);
} layers[] = {
    { SANDBOX_USER, become_nobody },
    { SANDBOX_NO_NEW_PRIVS, have_no_privileges },
    { SANDBOX_LANDLOCK, enter_landlock },
    { SANDBOX_LIMITS, limit },
    { SANDBOX_SECCOMP, enter_seccomp },
};

/* Landlock's rules are among what keep_only() closes; the new user id undoes
 * v2v_die_with(), which seccomp no longer lets us call. */
static unsigned
enter_layers(const struct start *s)
{
    unsigned got = 0;

    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        enum sandbox_layer layer = layers[i].layer;

        if ((s->wanted & layer) != 0 && layers[i].enter(s) == 0)
            got |= layer;
        if (layer == SANDBOX_LANDLOCK && s->rules >= 0)
            close(s->rules);
        if (layer == SANDBOX_USER && v2v_die_with(s->parent) < 0)
            _exit(FAILED);
    }
    return got;
}

static void
become_the_worker(void *opaque)
{
    const struct start *s = opaque;
    struct report report = { 0 };

    if (setpgid(0, 0) < 0 || v2v_default_signals() < 0 || keep_only(s) < 0)
        report.why = errno;
    else
        report.layers = enter_layers(s);
    if (write(s->out, &report, sizeof report) != (ssize_t)sizeof report ||
        report.why != 0 ||
        (s->mode == SANDBOX_REQUIRE && report.layers != s->wanted))
        _exit(FAILED);
    close(s->out);
    /* at _exit() a sanitizer looks for leaks, by system calls that kill */
    syscall(SYS_exit_group, s->work->run(s->work->opaque));
}

/* In the parent ------------------------------------------------------------ */

/* Source: proc(5), /proc/pid/statm: the first number, pages. */
static int
address_space(uint64_t *ret, struct v2v_error *err)
{
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t pages = 0;
    int fields = file != NULL ? fscanf(file, "%" SCNu64, &pages) : 0;

    if (file != NULL)
        fclose(file);
    if (fields != 1)
        return v2v_fail(err, V2V_ERR_INTERNAL, "cannot read /proc/self/statm");
    *ret = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return 0;
}

static int
by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void
list_fds(struct start *s)
{
    size_t count = 0;

    for (; count < s->work->fd_count; count++)
        s->fds[count] = s->work->fds[count];
    s->fds[count++] = s->out;
    if (s->rules >= 0)
        s->fds[count++] = s->rules;
    s->fd_count = count;
    qsort(s->fds, count, sizeof *s->fds, by_number);
}

static int
read_report(int fd, struct report *ret)
{
    ssize_t n;

    do
        n = read(fd, ret, sizeof *ret);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *ret ? 0 : -1;
}

/* Its death before that is the host's fault: nothing was parsed yet. */
static int
judge(const struct start *s, int in, unsigned *ret, struct v2v_error *err)
{
    struct report report;

    if (read_report(in, &report) < 0)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "a sandboxed process died as it started");
    if (report.why != 0)
        return v2v_fail_errno(err, report.why, "a sandboxed process");
    if (sandbox_judge(s->wanted & ~report.layers, "what reads the guest's data",
                      err) < 0)
        return -1;
    if (ret != NULL)
        *ret = report.layers;
    return 0;
}

static pid_t
start(struct start *s, unsigned *ret, struct v2v_error *err)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return v2v_fail_errno(err, errno, "pipe");
    s->out = ends[1];
    list_fds(s);
    pid = v2v_fork(become_the_worker, s);
    close(ends[1]);
    if (pid < 0)
        v2v_error_set_errno(err, errno, "fork");
    else if (judge(s, ends[0], ret, err) < 0) {
        kill(pid, SIGKILL);
        v2v_reap(pid);
        pid = -1;
    }
    close(ends[0]);
    return pid;
}

pid_t
sandbox_start(const struct sandbox_work *work, unsigned *ret,
              struct v2v_error *err)
{
    V2V_AUTO(fd) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    V2V_AUTO(fd) int rules = -1;
    struct start s = {
        .work = work, .mode = sandbox_mode(), .null = null, .parent = getpid()
    };
    pid_t pid;

    assert(work->fd_count <= SANDBOX_FDS_MAX);
    if (null < 0)
        return v2v_fail_errno(err, errno, "/dev/null");
    if (address_space(&s.memory, err) < 0)
        return -1;
    s.memory += work->memory;
    if (s.mode != SANDBOX_OFF) {
        s.wanted = (geteuid() == 0 ? SANDBOX_USER : 0) | SANDBOX_NO_NEW_PRIVS |
                   SANDBOX_LANDLOCK | SANDBOX_SECCOMP | SANDBOX_LIMITS;
        rules = landlock_new();
        seccomp_make(work->files > 0 ? SECCOMP_WORKER_FILES : SECCOMP_WORKER,
                     &s.filter);
    }
    s.rules = rules;
    pid = start(&s, ret, err);
    seccomp_done(&s.filter);
    return pid;
}
