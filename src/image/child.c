/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/text.h"

enum {
    LISTENER_FD = 3,     /* SD_LISTEN_FDS_START */
    SAID_MAX = 16 << 20, /* beyond reason */
    EXEC_FAILED = 127,   /* nobody looks: the pipe says why */
    END_MS = 1000,
    FLUSH_MS = 60000 /* asked to end, QEMU still writes what it has */
};

static char lc_all[] = "LC_ALL=C";
static char listen_fds[] = "LISTEN_FDS=1";

/* Made before the fork: from there to the exec only what a signal handler may
 * call may be called, and that does not include malloc. */
struct launch {
    const char *const *argv;
    char **env;
    char listen_pid[sizeof "LISTEN_PID=0123456789"];
    int files[LISTENER_FD + 1]; /* which of ours become 0 to 3; -1: none */
    int report;                 /* errno goes in; an exec closes it */
    pid_t parent;
    const struct sandbox_files *sandbox;
};

static bool
is_replaced(const char *entry)
{
    return strncmp(entry, "LC_ALL=", 7) == 0 ||
           strncmp(entry, "LISTEN_", 7) == 0;
}

/* Our environment in a new array; the strings stay shared. */
static int
make_environment(struct launch *launch, struct v2v_error *err)
{
    size_t count = 0, used = 0;

    while (environ[count] != NULL)
        count++;
    launch->env = calloc(count + 4, sizeof *launch->env);
    if (launch->env == NULL)
        return v2v_fail_errno(err, errno, "environment");
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(environ[i]))
            launch->env[used++] = environ[i];
    launch->env[used++] = lc_all;
    if (launch->files[LISTENER_FD] >= 0) {
        strcpy(launch->listen_pid, "LISTEN_PID=0000000000");
        launch->env[used++] = listen_fds;
        launch->env[used++] = launch->listen_pid;
    }
    return 0;
}

/* The sources may have the very numbers that are to be replaced. */
static int
place_files(struct launch *launch)
{
    int above[LISTENER_FD + 1];

    launch->report = fcntl(launch->report, F_DUPFD_CLOEXEC, LISTENER_FD + 1);
    if (launch->report < 0)
        return -1;
    for (int i = 0; i <= LISTENER_FD; i++) {
        above[i] = launch->files[i];
        if (above[i] >= 0)
            above[i] = fcntl(above[i], F_DUPFD_CLOEXEC, LISTENER_FD + 1);
        if (above[i] < 0 && launch->files[i] >= 0)
            return -1;
    }
    for (int i = 0; i <= LISTENER_FD; i++)
        if (above[i] >= 0 && dup2(above[i], i) < 0)
            return -1;
    return 0;
}

static void
put_own_pid(struct launch *launch)
{
    char *digit = launch->listen_pid + sizeof launch->listen_pid - 2;

    for (pid_t pid = getpid(); pid > 0; pid /= 10)
        *digit-- = (char)('0' + pid % 10);
}

static _Noreturn void
become_the_program(void *opaque)
{
    struct launch *launch = opaque;
    int why;

    /* the rules lie in descriptors that place_files() may replace */
    if (v2v_die_with(launch->parent) == 0 &&
        sandbox_files_enter(launch->sandbox) == 0 && place_files(launch) == 0 &&
        setpgid(0, 0) == 0 && v2v_default_signals() == 0) {
        put_own_pid(launch);
        /* exec promises not to write to the strings */
        execvpe(launch->argv[0], (char *const *)(uintptr_t)launch->argv,
                launch->env);
    }
    why = errno;
    if (write(launch->report, &why, sizeof why) < 0)
        _exit(EXEC_FAILED);
    _exit(EXEC_FAILED);
}

/* 0 once the program runs, errno when it does not. */
static int
read_report(int fd)
{
    int why = 0;
    ssize_t n;

    do
        n = read(fd, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof why ? why : 0;
}

static int
run(struct launch *launch, pid_t *ret, struct v2v_error *err)
{
    const char *program = launch->argv[0];
    int ends[2], why;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return v2v_fail_errno(err, errno, "pipe");
    launch->report = ends[1];
    launch->parent = getpid();
    pid = v2v_fork(become_the_program, launch);
    why = pid < 0 ? errno : 0;
    close(ends[1]);
    if (pid > 0)
        why = read_report(ends[0]);
    close(ends[0]);
    if (pid > 0 && why != 0)
        v2v_reap(pid);
    if (why == ENOENT)
        return v2v_fail(err, V2V_ERR_INTERNAL,
                        "%s is not installed (package qemu-utils)", program);
    if (why != 0)
        return v2v_fail_errno(err, why, "cannot run %s", program);
    *ret = pid;
    return 0;
}

int
child_start(const char *const *argv, int out, int listener,
            const struct sandbox_files *sandbox, struct child *ret,
            struct v2v_error *err)
{
    V2V_AUTO(fd) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    V2V_AUTO(child) struct child child = CHILD_NONE;
    struct launch launch = { .argv = argv, .sandbox = sandbox };
    int rc;

    if (null < 0)
        return v2v_fail_errno(err, errno, "/dev/null");
    /* a file in memory never makes the child wait for us, as a pipe would */
    child.program = argv[0];
    child.said = memfd_create("stderr", MFD_CLOEXEC);
    if (child.said < 0)
        return v2v_fail_errno(err, errno, "memfd_create");
    launch.files[STDIN_FILENO] = null;
    launch.files[STDOUT_FILENO] = out >= 0 ? out : null;
    launch.files[STDERR_FILENO] = child.said;
    launch.files[LISTENER_FD] = listener;
    if (make_environment(&launch, err) < 0)
        return -1;
    rc = run(&launch, &child.pid, err);
    free(launch.env);
    if (rc < 0)
        return -1;
    *ret = child;
    child = (struct child)CHILD_NONE;
    return 0;
}

void
child_end(const struct child *child)
{
    if (v2v_ends_within(child->pid, END_MS))
        return;
    kill(child->pid, SIGTERM);
    if (!v2v_ends_within(child->pid, FLUSH_MS))
        kill(child->pid, SIGKILL);
}

/* "qemu-img: Could not open '/a': ...\n": we name the program ourselves. */
char *
child_said(const struct child *child, struct v2v_error *err)
{
    V2V_AUTO(bytes) struct v2v_bytes said = { 0 };
    size_t name = strlen(child->program), start = 0;
    char file[64], *text;

    snprintf(file, sizeof file, "/proc/self/fd/%d", child->said);
    if (v2v_file_read(file, SAID_MAX, &said, err) < 0)
        return NULL;
    while (said.len > 0 && said.data[said.len - 1] == '\n')
        said.len--;
    if (said.len >= name + 2 && memcmp(said.data, child->program, name) == 0 &&
        memcmp(said.data + name, ": ", 2) == 0)
        start = name + 2;
    text = v2v_strndup(said.len > 0 ? (const char *)said.data + start : "",
                       said.len - start, err);
    if (text != NULL)
        v2v_replace_char(text, '\n', ' ');
    return text;
}

int
child_wait(struct child *child, struct v2v_error *err)
{
    V2V_AUTO(mem) char *said = NULL;
    int status = v2v_reap(child->pid);
    bool busy;

    child->pid = -1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    said = child_said(child, err);
    if (said == NULL)
        return -1;
    if (WIFSIGNALED(status))
        return v2v_fail(err, V2V_ERR_INTERNAL, "it was killed: %s%s%s",
                        strsignal(WTERMSIG(status)),
                        *said != '\0' ? "; before it said: " : "", said);
    /* QEMU block/file-posix.c, raw_check_lock_bytes(): Failed to get "write"
     * lock; or: shared "write" lock */
    busy = strstr(said, "Failed to get ") != NULL &&
           strstr(said, "\" lock") != NULL;
    return v2v_fail(err, busy ? V2V_ERR_BUSY : V2V_ERR_FORMAT, "%s",
                    *said != '\0' ? said : "it failed without a word");
}

void
child_done(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        v2v_reap(child->pid);
    }
    if (child->said >= 0)
        close(child->said);
    *child = (struct child)CHILD_NONE;
}
