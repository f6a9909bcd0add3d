/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/document.h"
#include "cli/events.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/shared.h"
#include "image/image.h"

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

static volatile sig_atomic_t worker, received;

static void
on_signal(int number)
{
    received = number;
    kill((pid_t)worker, SIGKILL);
}

/* What was ignored when the program started stays so (nohup). */
static void
set_handlers(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    for (size_t i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction old;

        if (sigaction(ending_signals[i], NULL, &old) == 0 &&
            old.sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &action, NULL);
    }
}

/* A second signal while cleaning up changes nothing. */
static void
block_signals(int how, sigset_t *old)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ENDING_SIGNALS; i++)
        sigaddset(&set, ending_signals[i]);
    sigprocmask(how, &set, old);
}

/* Children that we had before: an exec() of a shell hands them on.
 * Source: proc(5), /proc/pid/task/tid/children. */
enum { CHILDREN_MAX = 256 };

struct children {
    pid_t pids[CHILDREN_MAX];
    size_t count;
};

static bool
is_among(const struct children *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->pids[i] == pid)
            return true;
    return false;
}

static void
list_children(struct children *ret)
{
    char path[64];
    FILE *file;
    int pid;

    ret->count = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    file = fopen(path, "re");
    while (file != NULL && ret->count < CHILDREN_MAX &&
           fscanf(file, "%d", &pid) == 1)
        ret->pids[ret->count++] = (pid_t)pid;
    if (file != NULL)
        fclose(file);
}

/* What the worker has left, and what that leaves: we are their reaper. */
static void
kill_children(const struct children *others)
{
    struct children now;
    size_t killed;

    do {
        killed = 0;
        list_children(&now);
        for (size_t i = 0; i < now.count; i++) {
            if (is_among(others, now.pids[i]) || kill(now.pids[i], SIGKILL) < 0)
                continue;
            v2v_reap(now.pids[i]);
            killed++;
        }
    } while (killed > 0);
}

/* Is there a worker to wait for?  Without a progress line, until it has ended.
 */
static int
is_working(void)
{
    int options = WEXITED | WNOWAIT | (progress_is_open() ? WNOHANG : 0);
    siginfo_t info = { 0 };

    while (waitid(P_PID, (id_t)worker, &info, options) < 0)
        if (errno != EINTR)
            return -1;
    return info.si_pid == 0;
}

/* Its number is not given to another process before the handler is off. */
static int
wait_for_worker(int *status)
{
    V2V_AUTO(fd) int ended = progress_is_open() ? pidfd_open(worker, 0) : -1;
    struct pollfd end = { .fd = ended, .events = POLLIN };
    int working;

    while ((working = is_working()) == 1) {
        progress_draw();
        poll(&end, 1, PROGRESS_MS);
    }
    if (working < 0)
        return -1;
    block_signals(SIG_BLOCK, NULL);
    return waitpid((pid_t)worker, status, 0) < 0 ? -1 : 0;
}

/* The worker's disks, as paths that end in NULs.  What does not fit into a pipe
 * that nobody reads yet (64 KiB, pipe(7)) is recovered by the next run. */
static int told[2] = { -1, -1 };

void
supervise_tell(const struct cli_disks *disks)
{
    for (size_t i = 0; i < disks->count && told[1] >= 0; i++) {
        const char *path = disks->items[i].path;

        if (write(told[1], path, strlen(path) + 1) < 0)
            return;
    }
}

/* Nobody who could write is left. */
static void
read_told(struct v2v_strings *ret)
{
    V2V_AUTO(bytes) struct v2v_bytes text = { 0 };
    char buf[4096];
    ssize_t n;

    while ((n = read(told[0], buf, sizeof buf)) > 0)
        if (v2v_bytes_add(&text, buf, (size_t)n, NULL) < 0)
            return;
    if (v2v_bytes_add(&text, "", 1, NULL) < 0)
        return;
    for (const char *path = (const char *)text.data; *path != '\0';
         path += strlen(path) + 1)
        v2v_strings_add(ret, path, NULL);
}

/* What the run changes: the first image's output in place of it. */
static int
find_targets(const struct cli_options *options, struct v2v_strings *ret)
{
    if (options->domain != NULL)
        read_told(ret);
    for (size_t i = 0; i < options->images.count; i++)
        if (v2v_strings_add(ret,
                            i == 0 && options->output != NULL
                                ? options->output
                                : options->images.items[i],
                            NULL) < 0)
            return -1;
    return 0;
}

/* All of them, before anything is said: saying it may be the end of us. */
static void
recover_all(const struct cli_options *options)
{
    V2V_AUTO(strings) struct v2v_strings targets = { 0 };
    V2V_AUTO(mem) struct v2v_error *errors = NULL;
    V2V_AUTO(mem) enum image_recovered *outcomes = NULL;

    if (find_targets(options, &targets) < 0)
        return;
    errors = calloc(targets.count + 1, sizeof *errors);
    outcomes = calloc(targets.count + 1, sizeof *outcomes);
    if (errors == NULL || outcomes == NULL)
        return;
    for (size_t i = 0; i < targets.count; i++)
        image_recover(targets.items[i], options->work_dir, &outcomes[i],
                      &errors[i]);
    for (size_t i = 0; i < targets.count; i++)
        if (errors[i].code != V2V_OK)
            fprintf(stderr, "v2v-virtio: interrupted: %s\n", errors[i].text);
        else
            fprintf(stderr, "v2v-virtio: interrupted: %s: %s\n",
                    targets.items[i],
                    outcomes[i] == IMAGE_NOTHING_TO_RECOVER
                        ? "nothing was left to be ended"
                        : image_recovered_text(outcomes[i]));
}

/* The worker cannot: shells know the signal as this status, too. */
static void
tell_end(const struct cli_options *options, int number)
{
    char text[128];

    snprintf(text, sizeof text, "ended by signal %d (%s)", number,
             strsignal(number));
    outcome_set("interrupted", "interrupted");
    if (options->json)
        document_print_interrupted(options, 128 + number, text);
    events_done(128 + number);
}

static void
end_by(int number)
{
    signal(number, SIG_DFL);
    block_signals(SIG_UNBLOCK, NULL);
    raise(number);
    _exit(128 + number);
}

static int
run_worker(int (*work)(const struct cli_options *options),
           const struct cli_options *options, pid_t parent,
           const sigset_t *mask)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that */
        return EXIT_FAILURE;
    sigprocmask(SIG_SETMASK, mask, NULL);
    shared_withhold();
    return work(options);
}

int
supervise(int (*work)(const struct cli_options *options),
          const struct cli_options *options)
{
    pid_t parent = getpid();
    struct children others;
    sigset_t mask;
    int status;

    fflush(NULL);
    signal(SIGPIPE, SIG_IGN); /* who does not listen misses what is said */
    list_children(&others);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (pipe2(told, O_CLOEXEC | O_NONBLOCK) < 0)
        told[1] = -1; /* they are recovered by the next run */
    block_signals(SIG_BLOCK, &mask);
    worker = fork();
    if (worker == 0)
        exit(run_worker(work, options, parent, &mask));
    if (worker < 0) {
        fprintf(stderr, "v2v-virtio: fork: %s\n", strerror(errno));
        return V2V_ERR_INTERNAL;
    }
    set_handlers();
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (wait_for_worker(&status) < 0)
        return V2V_ERR_INTERNAL;
    kill_children(&others);
    progress_close();
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (cli_writes(options))
        recover_all(options);
    else
        image_sweep();
    tell_end(options, received != 0 ? (int)received : WTERMSIG(status));
    end_by(received != 0 ? (int)received : WTERMSIG(status));
    return V2V_ERR_INTERNAL;
}
